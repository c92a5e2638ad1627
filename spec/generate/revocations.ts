/** Vectors of revocations and of links between cards. */
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import {
  approveCard,
  exportCard,
  parseRevocation,
  verifyEndorsement,
  verifySuccession,
  type Bytes,
  type Card,
  type CardSignature,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { CardLinkCase, RevocationCase, VectorFile } from '../vector-files.ts';
import { L, oddSignature, uint } from './craft.ts';
import { device, REVOKED, revocation, type Device } from './logged.ts';
import { APP_KEY, APPROVED, OTHER_APP_KEY } from './people.ts';
import { bytesOf } from './source.ts';

const encoded = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);
const encodedText = (text: string): string => encoded(utf8ToBytes(text));

const phone = await device('alice/phone');
const laptop = await device('alice/laptop');
const bobs = await device('bob/phone');

function good(name: string, exported: string, key?: SigningKey): RevocationCase {
  const { content, cardId, reason, since, revokedAt, signer } = parseRevocation(exported);
  const text = new TextDecoder().decode(content);
  return {
    name,
    result: 'ok',
    export: exported,
    ...(key && { key: bytesToHex(key.publicKey) }),
    revocation: {
      content: text,
      cardId,
      reason,
      ...(since !== undefined && { since }),
      revokedAt,
      signer,
    },
  };
}

async function goodRevocations(): Promise<readonly RevocationCase[]> {
  const compromised = { reason: 'compromised' } as const;
  return [
    good('of a card by itself', await revocation(phone, phone), phone.key),
    good(
      'of a compromised card by another one, from a position on',
      await revocation(phone, laptop, { ...compromised, since: 3 }),
      laptop.key,
    ),
    good('of a compromised card by the application', await revocation(phone, APP_KEY, compromised)),
    good(
      'by the application, signed by its key',
      await revocation(phone, APP_KEY, compromised),
      APP_KEY,
    ),
    good(
      'from the first position on',
      await revocation(phone, phone, { ...compromised, since: 0 }),
    ),
    good(
      'from the last position on that there is',
      await revocation(phone, phone, { ...compromised, since: 2 ** 32 - 1 }),
    ),
    good('at the first time', await revocation(phone, phone, { revokedAt: 0 })),
    good('at the last time', await revocation(phone, phone, { revokedAt: 8.64e15 })),
    good(
      'whose form is right, by a key that is not its signer’s, when no key is asked for',
      exportedOf(CONTENT, await signed(bobs.key, utf8ToBytes(CONTENT))),
    ),
  ];
}

const CONTENT = `{"v":1,"cardId":"${phone.card.id}","reason":"compromised","since":3,"revokedAt":${REVOKED},"signer":"${laptop.card.id}"}`;
const RETIRED = CONTENT.replace('compromised","since":3', 'retired"');

function signedBytes(content: Uint8Array, label = 'card-revocation'): Bytes {
  return new Uint8Array(concatBytes(L(label), content));
}

function signed(key: SigningKey, content: Uint8Array, label?: string): Promise<Bytes> {
  return key.sign(signedBytes(content, label));
}

function exportedOf(content: string | Uint8Array, signature: Uint8Array): string {
  const bytes = typeof content === 'string' ? utf8ToBytes(content) : content;
  const json = { content: encoded(bytes), signature: encoded(signature) };
  return encodedText(JSON.stringify(json));
}

async function badForms(): Promise<readonly RevocationCase[]> {
  const { id } = phone.card;
  const since = (value: string): string => CONTENT.replace('"since":3', `"since":${value}`);
  const time = (value: string): string => CONTENT.replace(String(REVOKED), value);
  const signer = (value: string): string => CONTENT.replace(laptop.card.id, value);
  const contents: readonly (readonly [string, string])[] = [
    ['a space', CONTENT.replace(':1,', ': 1,')],
    ['a line break at its end', `${CONTENT}\n`],
    ['a byte-order mark', `\ufeff${CONTENT}`],
    ['a member twice', CONTENT.replace('"since":3', '"since":9,"since":3')],
    ['members in another order', CONTENT.replace('"v":1,', '').replace('}', ',"v":1}')],
    ['a member more', CONTENT.replace('}', ',"by":"me"}')],
    ['an escaped letter', CONTENT.replace('compromised', '\\u0063ompromised')],
    ['version 2', CONTENT.replace('"v":1', '"v":2')],
    ['no version', CONTENT.replace('"v":1,', '')],
    ['no card', CONTENT.replace(`"cardId":"${id}",`, '')],
    ['a card id of 62 digits', CONTENT.replace(id, id.slice(2))],
    ['a card id in upper case', CONTENT.replace(id, 'AB'.repeat(32))],
    ['no reason', CONTENT.replace('"reason":"compromised",', '')],
    ['another reason', CONTENT.replace('compromised', 'lost')],
    ['a position of a retired card', CONTENT.replace('compromised', 'retired')],
    ['a position that is null', since('null')],
    ['a position below 0', since('-1')],
    ['a position of minus zero', since('-0')],
    ['a fraction of a position', since('1.5')],
    ['a position in another spelling', since('3.0')],
    ['a position as a string', since('"3"')],
    ['a position of 2^32', since('4294967296')],
    ['no time', CONTENT.replace(`"revokedAt":${REVOKED},`, '')],
    ['half a millisecond', time('1.5')],
    ['a time before 1970', time('-1')],
    ['a time that no Date holds', time('8640000000000001')],
    ['a time as a string', time(`"${REVOKED}"`)],
    ['no signer', CONTENT.replace(`,"signer":"${laptop.card.id}"`, '')],
    ['a signer that is a role of cards', signer('self')],
    ['a signer in upper case', signer('APP')],
    ['a signer of 62 digits', signer('ab'.repeat(31))],
    ['a list around it', `[${CONTENT}]`],
    ['a string around it', JSON.stringify(CONTENT)],
    ['no bytes', ''],
    ['null', 'null'],
  ];
  const bad = (what: string, exported: string): RevocationCase => ({
    name: what,
    result: 'INVALID_ARGUMENT',
    export: exported,
  });
  const signature = await signed(laptop.key, utf8ToBytes(CONTENT));
  const right = exportedOf(CONTENT, signature);
  const json = JSON.stringify({ content: encodedText(CONTENT), signature: encoded(signature) });
  const spellings: readonly (readonly [string, string])[] = [
    ['a space in front', ` ${json}`],
    ['a member more', json.replace('}', ',"extra":"e30"}')],
    ['a content twice', json.replace('"signature"', '"content":"e30","signature"')],
    ['an escaped letter', json.replace('"content"', '"\\u0063ontent"')],
    [
      'the signature first',
      JSON.stringify({ signature: encoded(signature), content: encodedText(CONTENT) }),
    ],
    ['no signature', JSON.stringify({ content: encodedText(CONTENT) })],
    ['no content', JSON.stringify({ signature: encoded(signature) })],
    ['a padded signature', json.replace('"}', '=="}')],
    ['a signature that is no string', json.replace(/"signature":.*/, '"signature":1}')],
  ];
  return [
    ...(await Promise.all(
      contents.map(async ([what, text]) => {
        const bytes = utf8ToBytes(text);
        return bad(`a content with ${what}`, exportedOf(text, await signed(laptop.key, bytes)));
      }),
    )),
    bad('a content that is not UTF-8', exportedOf(latin1(CONTENT), signature)),
    bad('a signature of 63 bytes', exportedOf(CONTENT, signature.slice(1))),
    bad('a signature of 65 bytes', exportedOf(CONTENT, concatBytes(signature, Uint8Array.of(0)))),
    ...spellings.map(([what, text]) => bad(`an export with ${what}`, encodedText(text))),
    bad('an empty export', ''),
    bad('an export with a space behind it', `${right} `),
    bad('an export with padding', `${right}=`),
    bad('an export cut short', right.slice(0, -4)),
    bad('an export of 1026 characters', encodedText(`${json}${' '.repeat(768 - json.length)}A`)),
    bad('an exported card', phone.exported),
  ];
}

/** Each character as one byte: an é is none in UTF-8. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text.replace('compromised', 'compromis\u00e9'), (c) => c.charCodeAt(0));
}

async function badSignatures(): Promise<readonly RevocationCase[]> {
  const content = utf8ToBytes(CONTENT);
  const byApp = utf8ToBytes(CONTENT.replace(laptop.card.id, 'app'));
  const toSign = signedBytes(content);
  const bad = (
    name: string,
    of: Uint8Array,
    signature: Uint8Array,
    key = laptop.key,
  ): RevocationCase => ({
    name: `a signature ${name}`,
    result: 'BAD_SIGNATURE',
    key: bytesToHex(key.publicKey),
    export: exportedOf(of, signature),
  });
  const seed = bytesOf('alice/laptop/signing');
  return [
    bad('of another key', content, await signed(bobs.key, content)),
    bad('of the revoked card for its signer', content, await signed(phone.key, content)),
    bad('on another revocation', content, await signed(laptop.key, utf8ToBytes(RETIRED))),
    bad('for another signer', content, await signed(laptop.key, byApp)),
    bad('made for a card', content, await signed(laptop.key, content, 'card-signature')),
    bad('without a label', content, await laptop.key.sign(content)),
    bad('of a card for the application', byApp, await signed(laptop.key, byApp), APP_KEY),
    bad('of another application', byApp, await signed(OTHER_APP_KEY, byApp), APP_KEY),
    bad('with S + order', content, oddSignature(seed, toSign, 'S + order')),
    bad('with torsion in R', content, oddSignature(seed, toSign, 'torsion in R')),
    bad('with the identity as R', content, oddSignature(seed, toSign, 'R is the identity')),
  ];
}

/** `revocation.json`. */
export async function revocationVectors(): Promise<VectorFile<RevocationCase>> {
  return {
    description:
      'Exported revocations: whether their form is right, and with key, whether this key signed them. Who may revoke which card is in log-history.json.',
    page: 'revocation.md',
    cases: [...(await goodRevocations()), ...(await badForms()), ...(await badSignatures())],
  };
}

async function linkOf(
  name: string,
  link: CardLinkCase['link'],
  card: Device | Card,
  earlier: Device,
): Promise<CardLinkCase> {
  const checked = 'exported' in card ? card.card : card;
  const verify = link === 'succession' ? verifySuccession : verifyEndorsement;
  return {
    name,
    result: (await verify(checked, earlier.card)) ? 'ok' : 'BAD_SIGNATURE',
    link,
    card:
      'exported' in card ? card.exported : exportCard(await approveCard(card, APP_KEY, APPROVED)),
    earlier: earlier.exported,
  };
}

/** A signature of any role, made for any role. */
async function link(
  { card }: Device,
  key: SigningKey,
  signer: CardSignature['signer'],
  { extra = '', madeAs = signer }: { readonly extra?: string; readonly madeAs?: string } = {},
): Promise<CardSignature> {
  const bytes = utf8ToBytes(extra);
  const parts = [uint(madeAs.length, 1), utf8ToBytes(madeAs)];
  const rest = [uint(card.snapshot.length, 4), card.snapshot, uint(bytes.length, 2), bytes];
  const signature = await key.sign(
    new Uint8Array(concatBytes(L('card-signature'), ...parts, ...rest)),
  );
  return { signer, signature, extra: new Uint8Array(bytes) };
}

const withLinks = ({ card }: Device, ...links: readonly CardSignature[]): Card => ({
  ...card,
  signatures: [...card.signatures, ...links],
});

/** `card-links.json`. */
export async function cardLinkVectors(): Promise<VectorFile<CardLinkCase>> {
  const naming = (one: Device): { extra: string } => ({ extra: `{"cardId":"${one.card.id}"}` });
  const next = await device('alice/next', { previous: phone });
  const unsigned = await device('alice/next', { previous: phone, isSigned: false });
  const bobsNext = await device('bob/next', { previous: phone });
  const endorsed = await device('alice/tablet', { endorsers: [laptop, phone] });
  const tablet = await device('alice/tablet');
  const both = await device('alice/next', { previous: phone, endorsers: [phone] });
  const predecessor = await link(unsigned, phone.key, 'predecessor');
  const foreign = await link(unsigned, bobs.key, 'predecessor');
  const endorsement = await link(tablet, phone.key, 'endorser', naming(phone));
  return {
    description:
      'Approved cards, and whether the card `earlier` vouches for them. BAD_SIGNATURE is no fault of the card: it stands without this link.',
    page: 'card.md',
    cases: [
      await linkOf('the successor of a card', 'succession', next, phone),
      await linkOf(
        'a successor with a wrong signature before the right one',
        'succession',
        withLinks(unsigned, foreign, predecessor),
        phone,
      ),
      await linkOf('a card that another one endorses', 'endorsement', endorsed, laptop),
      await linkOf('a card that two others endorse: the second', 'endorsement', endorsed, phone),
      await linkOf('a card that replaces another, and is endorsed', 'succession', both, phone),
      await linkOf(
        'a card that is endorsed by the one that it replaces',
        'endorsement',
        both,
        phone,
      ),
      await linkOf(
        'a card that names another, without its signature',
        'succession',
        unsigned,
        phone,
      ),
      await linkOf('a card that replaces another than this one', 'succession', next, laptop),
      await linkOf('a card that is replaced by this one', 'succession', phone, next),
      await linkOf(
        'a signature of the predecessor on a card that names none',
        'succession',
        withLinks(tablet, await link(tablet, phone.key, 'predecessor')),
        phone,
      ),
      await linkOf(
        'a signature of another key as predecessor',
        'succession',
        withLinks(unsigned, foreign),
        phone,
      ),
      await linkOf(
        'a signature of the predecessor that was made as endorser',
        'succession',
        withLinks(unsigned, await link(unsigned, phone.key, 'predecessor', { madeAs: 'endorser' })),
        phone,
      ),
      await linkOf(
        'a signature of the predecessor on another card',
        'succession',
        withLinks(unsigned, await link(tablet, phone.key, 'predecessor')),
        phone,
      ),
      await linkOf('a successor of another identity', 'succession', bobsNext, phone),
      await linkOf('a card that this one did not endorse', 'endorsement', next, laptop),
      await linkOf('a card that endorsed this one', 'endorsement', laptop, endorsed),
      await linkOf(
        'an endorsement by a key of somebody else',
        'endorsement',
        withLinks(tablet, await link(tablet, bobs.key, 'endorser', naming(phone))),
        phone,
      ),
      await linkOf(
        'an endorsement that names another card of the key',
        'endorsement',
        withLinks(tablet, await link(tablet, phone.key, 'endorser', naming(laptop))),
        phone,
      ),
      await linkOf(
        'an endorsement by the name of a card that did not sign it',
        'endorsement',
        withLinks(tablet, { ...endorsement, ...(await nameOnly(tablet)) }),
        phone,
      ),
      await linkOf(
        'an endorsement of another card',
        'endorsement',
        withLinks(laptop, endorsement),
        phone,
      ),
      await linkOf(
        'an endorsement that was made as predecessor',
        'endorsement',
        withLinks(
          tablet,
          await link(tablet, phone.key, 'endorser', { ...naming(phone), madeAs: 'predecessor' }),
        ),
        phone,
      ),
      await linkOf(
        'an endorsement by another identity',
        'endorsement',
        await device('alice/tablet', { endorsers: [bobs] }),
        bobs,
      ),
      await linkOf(
        'a card that endorses itself',
        'endorsement',
        withLinks(phone, await link(phone, phone.key, 'endorser', naming(phone))),
        phone,
      ),
    ],
  };

  async function nameOnly(of: Device): Promise<Pick<CardSignature, 'signature'>> {
    return link(of, laptop.key, 'endorser', naming(phone));
  }
}
