/** Whatever is logged, in whatever order: what a history took away never comes back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  approveCard,
  createCard,
  createRevocation,
  curves,
  detailOf,
  encodeEntry,
  endorseCard,
  exportCard,
  identityHash,
  parseIdentity,
  readHistory,
  succeedCard,
  type Card,
  type EntryWithContent,
  type IdentityHistory,
  type LoggedCard,
  type LogEntry,
  type RevocationContent,
  type RevocationSigner,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { APP_KEY, random } from '../people.ts';

const backEnd = await curves();
const ALICE = parseIdentity('alice');
const LOG_KEY = random(32);
const OTHER_APP_KEY = await backEnd.importSigningKey(random(32));
const appKeys = [await backEnd.importVerifyingKey(APP_KEY.publicKey)];

interface Device {
  readonly card: Card;
  readonly key: SigningKey;
}

function entryOf(
  operation: LogEntry['operation'],
  cardId: Card['id'],
  content: string,
): EntryWithContent {
  const entry = encodeEntry({
    operation,
    time: 7,
    identityHash: identityHash(LOG_KEY, ALICE),
    cardId,
    detail: detailOf(content),
  });
  return { entry, content };
}

async function device(previous?: Device, ...endorsers: readonly Device[]): Promise<Device> {
  const key = await backEnd.importSigningKey(random(32));
  const agreement = await backEnd.importAgreementKey(random(32));
  const replaces = previous && { previousCardId: previous.card.id };
  let card = await createCard({ identity: ALICE, createdAt: 1, ...replaces }, key, agreement);
  if (previous) card = await succeedCard(card, previous.key);
  for (const { card: its, key: signingKey } of endorsers) {
    card = await endorseCard(card, { id: its.id, signingKey });
  }
  return { card, key };
}

const approval = async ({ card }: Device, by: SigningKey = APP_KEY): Promise<EntryWithContent> =>
  entryOf('approve', card.id, exportCard(await approveCard(card, by, 2)));

/** Everything that anybody could want to log about four devices that vouch for one another. */
async function pool(): Promise<readonly EntryWithContent[]> {
  const phone = await device();
  const laptop = await device(undefined, phone);
  const tablet = await device(undefined, phone, laptop);
  const next = await device(phone, laptop);
  const all = [phone, laptop, tablet, next];
  const entries = await Promise.all([
    ...all.map((one) => approval(one)),
    ...all.map((one) => approval(one, OTHER_APP_KEY)),
  ]);
  const reasons: readonly Pick<RevocationContent, 'reason' | 'since'>[] = [
    { reason: 'retired' },
    { reason: 'compromised' },
    { reason: 'compromised', since: 2 },
  ];
  for (const { card } of all) {
    for (const by of [...all, null]) {
      for (const more of reasons) {
        const signer: RevocationSigner = by?.card.id ?? 'app';
        const content = { cardId: card.id, ...more, revokedAt: 3, signer };
        const text = await createRevocation(content, by?.key ?? APP_KEY);
        entries.push(entryOf('revoke', card.id, text));
      }
    }
  }
  return entries;
}

const entries = await pool();
// The approvals come first in the pool, and often.
const logged = fc.array(
  fc.oneof(fc.nat(3), fc.nat(entries.length - 1)).map((at) => entries[at]),
  { maxLength: 9 },
);

async function read(all: readonly EntryWithContent[]): Promise<IdentityHistory> {
  const history = await readHistory(all, { identity: ALICE, logKey: LOG_KEY, appKeys });
  if (!history) throw new Error('Bytes and entries belong together.');
  return history;
}

test('a card stays where it is, and what it lost it does not get again', async () => {
  await fc.assert(
    fc.asyncProperty(logged, async (picked) => {
      const all = picked.filter((one) => one !== undefined);
      let before: readonly LoggedCard[] = [];
      let invalid = 0;
      for (let count = 0; count <= all.length; count += 1) {
        const history = await read(all.slice(0, count));
        for (const [index, old] of before.entries()) {
          const now = history.cards[index];
          expect(now?.card.id).toBe(old.card.id);
          expect(now?.position).toBe(old.position);
          if (old.status === 'revoked') expect(now?.status).toBe('revoked');
          if (old.status === 'superseded') expect(now?.status).not.toBe('live');
          if (old.reason === 'compromised') expect(now?.reason).toBe('compromised');
          if (old.endedAt !== undefined) expect(now?.endedAt).toBe(old.endedAt);
          if (old.voucher === null) expect(now?.voucher).toBeNull();
        }
        expect(history.invalid - invalid).toBeGreaterThanOrEqual(0);
        expect(history.invalid - invalid).toBeLessThanOrEqual(1);
        const ids = history.cards.map(({ card }) => card.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { voucher, position } of history.cards) {
          const by = history.cards.find(({ card }) => card.id === voucher);
          if (voucher !== null) expect(by?.position).toBeLessThan(position);
        }
        before = history.cards;
        ({ invalid } = history);
      }
    }),
    { numRuns: 40 },
  );
});
