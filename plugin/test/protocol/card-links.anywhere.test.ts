/** Succession and endorsement: who vouches for a card, and for which one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  approveCard,
  CARD_LIMITS,
  checkApproval,
  createCard,
  curves,
  endorseCard,
  exportCard,
  importCard,
  parseIdentity,
  succeedCard,
  verifyEndorsement,
  verifySuccession,
  type Card,
  type CardSignature,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { signSnapshot } from '../../src/protocol/card.ts';
import { utf8 } from '../../src/protocol/primitives.ts';
import { APP_KEY, random } from './people.ts';

const backEnd = await curves();

interface Device {
  readonly card: Card;
  readonly key: SigningKey;
}

async function device(name: string, previous?: Card): Promise<Device> {
  const key = await backEnd.importSigningKey(random(32));
  const agreement = await backEnd.importAgreementKey(random(32));
  const content = { identity: parseIdentity(name), createdAt: 1 };
  const replaces = previous && { previousCardId: previous.id };
  return { key, card: await createCard({ ...content, ...replaces }, key, agreement) };
}

const [phone, laptop, bobs] = [await device('alice'), await device('alice'), await device('bob')];
const endorserOf = ({ card, key }: Device) => ({ id: card.id, signingKey: key });
const withLinks = (card: Card, ...links: readonly CardSignature[]): Card => ({
  ...card,
  signatures: [...card.signatures, ...links],
});

describe('a link', () => {
  test('survives the export, the approval and other links, and changes no id', async () => {
    const next = await device('alice', phone.card);
    const linked = await endorseCard(await succeedCard(next.card, phone.key), endorserOf(laptop));
    const appKey = await backEnd.importVerifyingKey(APP_KEY.publicKey);
    const card = await importCard(exportCard(await approveCard(linked, APP_KEY, 2)));
    await checkApproval(card, [appKey]);
    expect(card.id).toBe(next.card.id);
    expect(card.signatures.map(({ signer }) => signer)).toEqual([
      'self',
      'predecessor',
      'endorser',
      'app',
    ]);
    expect(await verifySuccession(card, phone.card)).toBe(true);
    expect(await verifyEndorsement(card, laptop.card)).toBe(true);
    // Each vouches in its own way only.
    expect(await verifySuccession(card, laptop.card)).toBe(false);
    expect(await verifyEndorsement(card, phone.card)).toBe(false);
    expect(await verifyEndorsement(laptop.card, card)).toBe(false);
    expect(await verifySuccession(phone.card, card)).toBe(false);
  });

  test('does not hold between identities, even with the right keys', async () => {
    const bobsNext = await device('bob', phone.card);
    const card = await endorseCard(await succeedCard(bobsNext.card, phone.key), endorserOf(phone));
    expect(await verifySuccession(card, phone.card)).toBe(false);
    expect(await verifyEndorsement(card, phone.card)).toBe(false);
  });

  test('is not made by naming alone, or by signing alone', async () => {
    const named = await device('alice', phone.card);
    expect(await verifySuccession(named.card, phone.card)).toBe(false);
    const unnamed = await device('alice');
    const none = new Uint8Array();
    const signature = await signSnapshot(phone.key, 'predecessor', unnamed.card.snapshot, none);
    expect(await verifySuccession(withLinks(unnamed.card, signature), phone.card)).toBe(false);
    await expect(succeedCard(unnamed.card, phone.key)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const self = await endorseCard(phone.card, endorserOf(phone));
    expect(await verifyEndorsement(self, phone.card)).toBe(false);
  });

  test('is made by the key that it names, for the card that it is on, in its role', async () => {
    const next = await device('alice', phone.card);
    const { snapshot } = next.card;
    const none = new Uint8Array();
    const extra = utf8(JSON.stringify({ cardId: phone.card.id }));
    const predecessor = await signSnapshot(phone.key, 'predecessor', snapshot, none);
    const endorser = await signSnapshot(phone.key, 'endorser', snapshot, extra);
    expect(await verifySuccession(withLinks(next.card, predecessor), phone.card)).toBe(true);
    expect(await verifyEndorsement(withLinks(next.card, endorser), phone.card)).toBe(true);
    const wrong: readonly CardSignature[] = [
      await signSnapshot(bobs.key, 'predecessor', snapshot, none),
      await signSnapshot(bobs.key, 'endorser', snapshot, extra),
      await signSnapshot(phone.key, 'predecessor', laptop.card.snapshot, none),
      await signSnapshot(phone.key, 'endorser', laptop.card.snapshot, extra),
      { ...endorser, signer: 'predecessor', extra: none },
      { ...predecessor, signer: 'endorser', extra },
      { ...endorser, extra: utf8(JSON.stringify({ cardId: laptop.card.id })) },
      { ...endorser, extra: none },
    ];
    for (const signature of wrong) {
      const card = withLinks(next.card, signature);
      expect(await verifySuccession(card, phone.card)).toBe(false);
      expect(await verifyEndorsement(card, phone.card)).toBe(false);
    }
    const both = withLinks(next.card, ...wrong.slice(0, 2), endorser, predecessor);
    expect(await verifySuccession(both, phone.card)).toBe(true);
    expect(await verifyEndorsement(both, phone.card)).toBe(true);
  });

  test('does not hold when a bit of its signature is another', async () => {
    const next = await device('alice', phone.card);
    const linked = await endorseCard(await succeedCard(next.card, phone.key), endorserOf(phone));
    await fc.assert(
      fc.asyncProperty(fc.nat(63), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
        const signatures = linked.signatures.map((one) => ({
          ...one,
          signature: one.signature.map((byte, index) => (index === at ? byte ^ bits : byte)),
        }));
        const card = { ...linked, signatures };
        expect(await verifySuccession(card, phone.card)).toBe(false);
        expect(await verifyEndorsement(card, phone.card)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test('leaves room for the approval', async () => {
    let { card } = await device('alice', phone.card);
    while (card.signatures.length < CARD_LIMITS.signatures - 1) {
      card = await endorseCard(card, endorserOf(laptop));
    }
    const full = { code: 'INVALID_ARGUMENT' };
    await expect(endorseCard(card, endorserOf(laptop))).rejects.toMatchObject(full);
    await expect(succeedCard(card, phone.key)).rejects.toMatchObject(full);
    const approved = await approveCard(card, APP_KEY, 2);
    expect((await importCard(exportCard(approved))).signatures).toHaveLength(8);
  });
});
