/** Vectors of cards. */
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import {
  approveCard,
  createCard,
  exportCard,
  importCard,
  parseCardId,
  parseIdentity,
  xwing,
  type Bytes,
  type Card,
  type CardContent,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { CardCase, CardVector, VectorFile } from '../vector-files.ts';
import { L, littleEndian, mixedKey, oddSignature, SMALL_ORDER, uint } from './craft.ts';
import { alice, APP_KEY, APPROVED, bob, CREATED, OTHER_APP_KEY } from './people.ts';
import { bytesOf } from './source.ts';

const encoded = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);
const encodedText = (text: string): string => encoded(utf8ToBytes(text));

const DEVICE = ` ❤\ufe0f 👩\u200d💻 \u{e0067}\u200b\u200c\u00ad\u2060\u00a0\u3000e\u0301\uf8ff\u061b\u2027\u202f\u2065\u2070\ufff8\u{50000}\u{5fffd}`;

interface Entry {
  readonly signer: string;
  readonly signature: string;
  readonly extra?: string;
}

/** What the signature of a card covers. */
function signedBytes(signer: string, snapshot: Uint8Array, extra: Uint8Array): Bytes {
  return new Uint8Array(
    concatBytes(
      L('card-signature'),
      uint(signer.length, 1),
      utf8ToBytes(signer),
      uint(snapshot.length, 4),
      snapshot,
      uint(extra.length, 2),
      extra,
    ),
  );
}

async function entry(
  key: SigningKey,
  snapshot: string | Uint8Array,
  signer = 'self',
  extra = '',
): Promise<Entry> {
  const bytes = typeof snapshot === 'string' ? utf8ToBytes(snapshot) : snapshot;
  const signature = encoded(await key.sign(signedBytes(signer, bytes, utf8ToBytes(extra))));
  return { signer, signature, ...(extra !== '' && { extra: encodedText(extra) }) };
}

function exported(snapshot: string | Uint8Array, signatures: readonly Entry[]): string {
  const bytes = typeof snapshot === 'string' ? utf8ToBytes(snapshot) : snapshot;
  return encodedText(JSON.stringify({ contentSnapshot: encoded(bytes), signatures }));
}

async function selfSigned(snapshot: string | Uint8Array): Promise<string> {
  return exported(snapshot, [await entry(alice.signingKey, snapshot)]);
}

const K = encoded(alice.signingKey.publicKey);
const E = encoded(alice.encryptionKey.publicKey);
const SNAPSHOT = `{"v":1,"identity":"alice","signingKey":"${K}","encryptionKey":"${E}","createdAt":${CREATED}}`;
const withMembers = (members: string): string => `${SNAPSHOT.slice(0, -1)},${members}}`;
const withIdentity = (identity: string): string =>
  SNAPSHOT.replace('"alice"', JSON.stringify(identity));

const fields = (count: number, value: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`field ${at}`, value]));

/** A snapshot of so many bytes, with nothing else that could be too long. */
function sizedTo(length: number): string {
  const texts = Object.fromEntries(
    Array.from({ length: 15 }, (_, at) => [`field ${at}`, 'é'.repeat(250)] as const),
  );
  const snapshot = (last: string): string =>
    withMembers(`"fields":${JSON.stringify({ ...texts, last })}`);
  const more = length - utf8ToBytes(snapshot('')).length;
  return snapshot(
    'é'.repeat(Math.max(0, more - 256)) + 'x'.repeat(more - 2 * Math.max(0, more - 256)),
  );
}

function vectorOf(card: Card): CardVector {
  const { device, previousCardId, pqEncryptionKey } = card;
  return {
    id: card.id,
    snapshot: new TextDecoder().decode(card.snapshot),
    identity: card.identity,
    signingKey: bytesToHex(card.signingKey.publicKey),
    encryptionKey: bytesToHex(card.encryptionKey),
    ...(pqEncryptionKey && { pqEncryptionKey: bytesToHex(pqEncryptionKey) }),
    createdAt: card.createdAt,
    ...(device !== undefined && { device }),
    ...(previousCardId && { previousCardId }),
    ...(card.fields && { fields: Object.entries(card.fields) }),
    signers: card.signatures.map(({ signer }) => signer),
  };
}

const appKey = bytesToHex(APP_KEY.publicKey);
const otherAppKey = bytesToHex(OTHER_APP_KEY.publicKey);

async function good(name: string, card: Card, appKeys?: readonly string[]): Promise<CardCase> {
  const text = exportCard(card);
  const again = vectorOf(await importCard(text));
  return { name, result: 'ok', export: text, ...(appKeys && { appKeys }), card: again };
}

function bad(name: string, text: string, appKeys?: readonly string[]): CardCase {
  return { name, result: 'CARD_INVALID', export: text, ...(appKeys && { appKeys }) };
}

async function goodCards(): Promise<readonly CardCase[]> {
  const pqKey = await (await xwing()).importKey(bytesOf('alice/post-quantum'));
  const create = (content: Partial<CardContent>, pq = false): Promise<Card> =>
    createCard(
      { identity: parseIdentity('alice'), createdAt: CREATED, ...content },
      alice.signingKey,
      alice.encryptionKey,
      ...(pq ? [pqKey] : []),
    );
  const full = await create({
    identity: parseIdentity('Ålice 🎈'),
    createdAt: 0,
    device: 'Åse’s phone "1"',
    previousCardId: parseCardId('ab'.repeat(32)),
    fields: { team: 'blue', é: '\u0000\n\u007f\u2028/', '7': 'x' },
  });
  const proto = Object.fromEntries([['__proto__', 'own'] as const]);
  let eight = await create({ device: 'd'.repeat(256), fields: fields(16, 'x'.repeat(256)) }, true);
  for (let at = 1; at < 8; at += 1) eight = await approveCard(eight, APP_KEY, APPROVED + at);
  const self = await entry(alice.signingKey, SNAPSHOT);
  const others = await Promise.all([
    entry(bob.signingKey, SNAPSHOT, 'predecessor'),
    entry(bob.signingKey, SNAPSHOT, 'endorser', `{"cardId":"${bob.card.id}"}`),
    entry(APP_KEY, SNAPSHOT, 'app', `{"approvedAt":8640000000000000}`),
  ]);
  return [
    await good('approved under the pinned key', alice.card, [appKey]),
    await good('approved under one of two pinned keys', alice.card, [otherAppKey, appKey]),
    await good('signed by itself only, when no approval is asked for', await create({})),
    await good('with every member, and characters that JSON escapes or not', full),
    await good(
      'of the identity __proto__, with a field of that name',
      await create({ identity: parseIdentity('__proto__'), fields: proto }),
    ),
    await good('with a key of suite 2', await approveCard(await create({}, true), APP_KEY, 0), [
      appKey,
    ]),
    await good('with all texts, fields and signatures at their limits', eight, [appKey]),
    await good('with a snapshot of 8192 bytes', await importCard(await selfSigned(sizedTo(8192)))),
    await good('at the last time there is', await create({ createdAt: 8.64e15 })),
    await good(
      'with signatures of predecessor and endorser, which prove nothing yet',
      await importCard(exported(SNAPSHOT, [others[0], self, others[1], others[2]])),
      [appKey],
    ),
    await good(
      'with an identity of 256 UTF-16 units',
      await create({ identity: parseIdentity('🎈'.repeat(128)) }),
    ),
    await good(
      'with an identity of code points beside those that are excluded, and of some not assigned',
      await create({
        identity: parseIdentity(
          `!~\u00a1\u00ac\u00ae\u0350\u0606\u06de\u1161\u180a\u2010\u2070\ud7fb\ufa0e\ufdcf\u{50000}`,
        ),
      }),
    ),
    await good(
      'with a device name of joiners, selectors, tags, blanks and code points not assigned',
      await create({ device: DEVICE }),
    ),
  ];
}

// The first and the last code point of each row of the page, but for those that stand below anyway.
const NAMES_EXCLUDE = Array.from(
  '\u0000\u001f\u007f\u009f\u061c\u200e\u200f\u202a\u2066\u2069\u2028\u2029\u206a\u206f\ufeff\ufff9\ufffb' +
    '\ufdd0\ufdef\ufffe\uffff\u{1fffe}\u{10ffff}',
);
const IDENTITIES_EXCLUDE = Array.from(
  '\u1680\u2000\u200a\u202f\u205f\u3000\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u200c\u200d\u2060\u2065' +
    '\ufe00\uffa0\ufff0\ufff8\u{1bca0}\u{1bca3}\u{1d173}\u{1d17a}\u{e0000}\u{e0fff}' +
    '\u0600\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}\u{13430}\u{1343f}' +
    '\uf8ff\u{f0000}\u{10fffd}\ufdd0\u{5fffe}\ufeff\u206f',
);

/** U+ and hexadecimal digits. */
function codeOf(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${digits.padStart(4, '0')}`;
}

async function badSnapshots(): Promise<readonly CardCase[]> {
  const numbers = (value: string): string => SNAPSHOT.replace(String(CREATED), value);
  const snapshots: readonly (readonly [string, string])[] = [
    ['whitespace', SNAPSHOT.replace(':1,', ': 1,')],
    ['a trailing space', `${SNAPSHOT} `],
    ['trailing bytes', `${SNAPSHOT}{}`],
    ['a byte-order mark', `\ufeff${SNAPSHOT}`],
    ['one member twice, with one value', withMembers(`"createdAt":${CREATED}`)],
    [
      'one member twice, first another',
      SNAPSHOT.replace('"identity"', '"identity":"bob","identity"'),
    ],
    ['one member twice, last another', withMembers('"identity":"bob"')],
    ['members in another order', `{"identity":"alice","v":1,${SNAPSHOT.slice(26)}`],
    ['an unknown member', withMembers('"admin":true')],
    ['a member __proto__', withMembers('"__proto__":{"identity":"bob"}')],
    ['a member that is null', withMembers('"device":null')],
    ['a number in another spelling', numbers('17e11')],
    ['a number with a fraction of zero', numbers(`${CREATED}.0`)],
    ['half a millisecond', numbers(`${CREATED}.5`)],
    ['a number as a string', numbers(`"${CREATED}"`)],
    ['a number that is not exact', numbers('9007199254740993')],
    ['minus zero', numbers('-0')],
    ['a time before 1970', numbers('-1')],
    ['a time that no Date holds', numbers('8640000000000001')],
    ['an escaped letter', SNAPSHOT.replace('alice', '\\u0061lice')],
    ['an escaped slash', withMembers('"device":"a\\/b"')],
    ['an escaped lone surrogate', withMembers('"device":"\\ud800"')],
    ['an escape in upper case', withMembers('"fields":{"a":"\\u001F"}')],
    ['another version', SNAPSHOT.replace('"v":1', '"v":2')],
    ['no version', SNAPSHOT.replace('"v":1,', '')],
    ['no identity', SNAPSHOT.replace('"identity":"alice",', '')],
    ['no signing key', SNAPSHOT.replace(`"signingKey":"${K}",`, '')],
    ['no encryption key', SNAPSHOT.replace(`"encryptionKey":"${E}",`, '')],
    ['no time', SNAPSHOT.replace(`,"createdAt":${CREATED}`, '')],
    ['an identity of no characters', withIdentity('')],
    ['an identity of 257 UTF-16 units', withIdentity('a'.repeat(257))],
    ['an identity that is not NFC', withIdentity('ali\u0308ce')],
    ['an identity with a bidirectional override', withIdentity('al\u202eice')],
    ['an identity with a zero-width space', withIdentity('al\u200bice')],
    ['an identity with a variation selector', withIdentity('alice\ufe0f')],
    ['an identity with a Hangul filler', withIdentity('al\u3164ice')],
    ['an identity with a control character', withIdentity('al\u0007ice')],
    ['an identity with a private-use character', withIdentity('al\ue000ice')],
    ['an identity with a no-break space', withIdentity('al\u00a0ice')],
    ['an identity with a space in front', withIdentity(' alice')],
    ['an identity with a space at its end', withIdentity('alice ')],
    ['an identity with a blank Braille pattern', withIdentity('al\u2800ice')],
    ['an identity with a line separator', withIdentity('al\u2028ice')],
    ...IDENTITIES_EXCLUDE.map(
      (character) =>
        [`an identity with ${codeOf(character)}`, withIdentity(`al${character}ice`)] as const,
    ),
    ['a device name of no characters', withMembers('"device":""')],
    ['a device name of 257 UTF-16 units', withMembers(`"device":"${'d'.repeat(257)}"`)],
    ['a device name that runs backwards', withMembers('"device":"a\u202eb"')],
    ...NAMES_EXCLUDE.map(
      (character) =>
        [
          `a device name with ${codeOf(character)}`,
          withMembers(`"device":${JSON.stringify(`a${character}b`)}`),
        ] as const,
    ),
    ['a padded key', SNAPSHOT.replace(K, `${K}=`)],
    ['a key in base64', SNAPSHOT.replace(K, `+/${K.slice(2)}`)],
    ['a key with bits behind its end', SNAPSHOT.replace(E, `${E.slice(0, -1)}_`)],
    ['a key of 31 bytes', SNAPSHOT.replace(E, encoded(new Uint8Array(31).fill(9)))],
    ['no fields in fields', withMembers('"fields":{}')],
    ['fields as a list', withMembers('"fields":["x"]')],
    ['a field name like a number behind another', withMembers('"fields":{"a":"x","1":"x"}')],
    ['a field twice', withMembers('"fields":{"a":"x","a":"x"}')],
    ['a field that is a number', withMembers('"fields":{"a":1}')],
    ['an empty field', withMembers('"fields":{"a":""}')],
    ['an empty field name', withMembers('"fields":{"":"x"}')],
    ['a field of 257 UTF-16 units', withMembers(`"fields":{"a":"${'x'.repeat(257)}"}`)],
    ['17 fields', withMembers(`"fields":${JSON.stringify(fields(17, 'x'))}`)],
    ['8193 bytes', sizedTo(8193)],
    ['over 8 KiB', withMembers(`"fields":${JSON.stringify(fields(16, '語'.repeat(256)))}`)],
    ['a card id in upper case', withMembers(`"previousCardId":"${'AB'.repeat(32)}"`)],
    ['a short card id', withMembers(`"previousCardId":"${'ab'.repeat(31)}"`)],
    ['a list around it', `[${SNAPSHOT}]`],
    ['a string around it', JSON.stringify(SNAPSHOT)],
    ['no bytes', ''],
    ['null', 'null'],
    ['only brackets', '['.repeat(8000)],
  ];
  const latin = Uint8Array.from(withMembers('"device":"\u00e9"'), (c) => c.charCodeAt(0));
  const overlong = Uint8Array.from(withMembers('"device":"\u00c0\u0080"'), (c) => c.charCodeAt(0));
  return Promise.all([
    ...snapshots.map(async ([what, text]) => {
      if (text === SNAPSHOT) throw new Error(`Not changed: ${what}`);
      return bad(`a snapshot with ${what}`, await selfSigned(text));
    }),
    selfSigned(latin).then((text) => bad('a snapshot that is not UTF-8', text)),
    selfSigned(overlong).then((text) => bad('a snapshot with an overlong UTF-8 sequence', text)),
  ]);
}

async function badKeys(): Promise<readonly CardCase[]> {
  const P = 2n ** 255n - 19n;
  const pqKey = (await (await xwing()).importKey(bytesOf('alice/post-quantum'))).publicKey;
  const highBit = alice.encryptionKey.publicKey.slice();
  highBit[31] = (highBit[31] ?? 0) | 0x80;
  const orderEight = 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800';
  const agreement: readonly (readonly [string, Uint8Array])[] = [
    ['zero', new Uint8Array(32)],
    ['one', littleEndian(1n)],
    ['of order 8', Uint8Array.from(orderEight.match(/../g) ?? [], (pair) => parseInt(pair, 16))],
    ['p − 1', littleEndian(P - 1n)],
    ['p', littleEndian(P)],
    ['p + 9, which is 9 not reduced', littleEndian(P + 9n)],
    ['with its highest bit set', highBit],
  ];
  const withPq = (key: Uint8Array | string): string =>
    SNAPSHOT.replace(
      `"${E}"`,
      `"${E}","pqEncryptionKey":"${typeof key === 'string' ? key : encoded(key)}"`,
    );
  const pqWith = (offset: number, bytes: readonly number[]): Uint8Array => {
    const key = pqKey.slice();
    key.set(bytes, offset);
    return key;
  };
  const postQuantum: readonly (readonly [string, string])[] = [
    ['of 1215 bytes', withPq(pqKey.slice(0, 1215))],
    ['of 1217 bytes', withPq(concatBytes(pqKey, Uint8Array.of(0)))],
    ['that is an X25519 key', withPq(E)],
    ['whose first coefficient is 3329', withPq(pqWith(0, [0x01, 0x0d, 0x00]))],
    ['whose last coefficient is 3329', withPq(pqWith(1149, [0x00, 0x10, 0xd0]))],
    [
      'whose X25519 half is zero',
      withPq(
        pqWith(
          1184,
          Array.from({ length: 32 }, () => 0),
        ),
      ),
    ],
    ['whose X25519 half is not canonical', withPq(pqWith(1215, [0xff]))],
    ['that is empty', withPq('')],
    ['that stands behind the time', withMembers(`"pqEncryptionKey":"${encoded(pqKey)}"`)],
  ];
  const twoPurposes: readonly (readonly [string, string])[] = [
    ['that is the signing key', SNAPSHOT.replace(E, K)],
    ['whose X25519 half is the signing key', withPq(pqWith(1184, [...alice.signingKey.publicKey]))],
  ];
  const signing: readonly (readonly [string, Uint8Array])[] = [
    ...SMALL_ORDER.map((key, at) => [`of small order (${at})`, key] as const),
    ['that is no point', littleEndian(2n)],
    ['whose y is not reduced', littleEndian(P + 3n)],
    ['that is the identity, not canonical', littleEndian(P + 1n)],
    ['that is the identity with the wrong sign', littleEndian(1n + 2n ** 255n)],
  ];
  const anything = encoded(concatBytes(littleEndian(1n), new Uint8Array(32)));
  const encryption = await Promise.all([
    ...agreement.map(async ([what, key]) =>
      bad(`an encryption key ${what}`, await selfSigned(SNAPSHOT.replace(E, encoded(key)))),
    ),
    ...postQuantum.map(async ([what, text]) =>
      bad(`a post-quantum key ${what}`, await selfSigned(text)),
    ),
    ...twoPurposes.map(async ([what, text], at) =>
      bad(`${at === 0 ? 'an encryption' : 'a post-quantum'} key ${what}`, await selfSigned(text)),
    ),
  ]);
  const mixedCard = (order: 2 | 4 | 8): string => {
    const mixed = mixedKey(bytesOf('alice/signing'), order);
    const snapshot = utf8ToBytes(SNAPSHOT.replace(K, encoded(mixed.publicKey)));
    const signature = mixed.sign(signedBytes('self', snapshot, new Uint8Array()));
    return exported(snapshot, [{ signer: 'self', signature: encoded(signature) }]);
  };
  return [
    ...encryption,
    ...signing.map(([what, key]) => {
      const snapshot = SNAPSHOT.replace(K, encoded(key));
      const signatures = [{ signer: 'self', signature: anything }];
      return bad(`a signing key ${what}`, exported(snapshot, signatures));
    }),
    ...([2, 4, 8] as const).map((order) =>
      bad(
        `a signing key with a component of order ${order}, and a signature that verifies under it`,
        mixedCard(order),
      ),
    ),
  ];
}

async function badSignatures(): Promise<readonly CardCase[]> {
  const bytes = utf8ToBytes(SNAPSHOT);
  const self = await entry(alice.signingKey, SNAPSHOT);
  const toSign = signedBytes('self', bytes, new Uint8Array());
  const odd = (defect: Parameters<typeof oddSignature>[2]): readonly Entry[] => [
    { signer: 'self', signature: encoded(oddSignature(alice.signingSeed, toSign, defect)) },
  ];
  const as = async (signer: string, extra = ''): Promise<Entry> =>
    entry(APP_KEY, SNAPSHOT, signer, extra);
  const predecessor = await entry(alice.signingKey, SNAPSHOT, 'predecessor');
  const wrong: readonly (readonly [string, readonly Entry[]])[] = [
    ['no signature', []],
    ['only an approval', [await as('app', '{"approvedAt":1}')]],
    ['two signatures of its own', [self, self]],
    ['its own signature by another key', [await entry(bob.signingKey, SNAPSHOT)]],
    ['its own signature on another snapshot', [await entry(alice.signingKey, withIdentity('bob'))]],
    ['its own signature made as predecessor', [{ ...predecessor, signer: 'self' }]],
    ['its own signature with an extra', [await entry(alice.signingKey, SNAPSHOT, 'self', '{}')]],
    ['its own signature of 63 bytes', [{ ...self, signature: encoded(new Uint8Array(63)) }]],
    ['its own signature with S + order', odd('S + order')],
    ['its own signature with torsion in R', odd('torsion in R')],
    ['its own signature with the identity as R', odd('R is the identity')],
    ['a signature of an unknown signer', [self, { ...self, signer: 'root' }]],
    [
      'a predecessor whose signature has 63 bytes',
      [self, { ...predecessor, signature: encoded(new Uint8Array(63)) }],
    ],
    ['a predecessor with an extra', [self, { ...predecessor, extra: encodedText('{}') }]],
    ['an approval without an extra', [self, await as('app')]],
    ['an approval with nothing in its extra', [self, await as('app', '{}')]],
    ['an approval at a fraction of a time', [self, await as('app', '{"approvedAt":1.5}')]],
    ['an approval at a time that is a string', [self, await as('app', '{"approvedAt":"1"}')]],
    ['an approval at a time in another spelling', [self, await as('app', '{"approvedAt":1e3}')]],
    ['an approval before 1970', [self, await as('app', '{"approvedAt":-1}')]],
    ['an approval at minus zero', [self, await as('app', '{"approvedAt":-0}')]],
    [
      'an approval at a time that no Date holds',
      [self, await as('app', '{"approvedAt":8640000000000001}')],
    ],
    ['an approval with a space', [self, await as('app', '{ "approvedAt":1}')]],
    ['an approval with a member more', [self, await as('app', '{"approvedAt":1,"by":"me"}')]],
    ['an approval whose extra is no object', [self, await as('app', '1')]],
    ['an endorsement without an extra', [self, await as('endorser')]],
    ['an endorsement by no card id', [self, await as('endorser', '{"cardId":"ab"}')]],
    [
      'nine signatures',
      [
        self,
        ...(await Promise.all(
          Array.from({ length: 8 }, (_, at) => as('app', `{"approvedAt":${at}}`)),
        )),
      ],
    ],
  ];
  return wrong.map(([what, signatures]) => bad(what, exported(SNAPSHOT, signatures)));
}

async function badExports(): Promise<readonly CardCase[]> {
  const self = await entry(alice.signingKey, SNAPSHOT);
  const json = JSON.stringify({ contentSnapshot: encodedText(SNAPSHOT), signatures: [self] });
  const text = encodedText(json);
  const spellings: readonly (readonly [string, string])[] = [
    ['a space in front', ` ${json}`],
    ['a line break at its end', `${json}\n`],
    ['a byte-order mark', `\ufeff${json}`],
    ['a member more', json.replace('{', '{"v":1,')],
    ['signatures twice', json.replace('"signatures"', '"signatures":[],"signatures"')],
    ['an escaped letter', json.replace('"self"', '"\\u0073elf"')],
    [
      'a signature in another order',
      json.replace('"signer":"self",', '').replace('"}]', '","signer":"self"}]'),
    ],
    ['an extra that is empty', json.replace('"}]', '","extra":""}]')],
    ['null as a signature', json.replace(']', ',null]')],
    ['an extra with padding', json.replace('"}]', '","extra":"e30="}]')],
    [
      'signatures first',
      JSON.stringify({ signatures: [self], contentSnapshot: encodedText(SNAPSHOT) }),
    ],
    ['no snapshot', JSON.stringify({ signatures: [self] })],
    ['no signatures', JSON.stringify({ contentSnapshot: encodedText(SNAPSHOT) })],
  ];
  return [
    bad('an empty export', ''),
    bad('an export of no card', 'e30'),
    bad('an export with a space behind it', `${text} `),
    bad('an export cut short', text.slice(0, -4)),
    bad('an export with a character more', `${text}A`),
    bad('an export with padding', `${text}=`),
    bad('an export of 32769 characters', encodedText(`${json}${' '.repeat(24576 - json.length)}A`)),
    ...spellings.map(([what, changed]) => bad(`an export with ${what}`, encodedText(changed))),
  ];
}

async function badApprovals(): Promise<readonly CardCase[]> {
  const self = await entry(alice.signingKey, SNAPSHOT);
  const approved = async (key: SigningKey, snapshot = SNAPSHOT, signer = 'app') =>
    exported(SNAPSHOT, [
      self,
      { ...(await entry(key, snapshot, signer, '{"approvedAt":1}')), signer: 'app' },
    ]);
  return [
    bad('a card without an approval', await selfSigned(SNAPSHOT), [appKey]),
    bad('a card approved under a key that is not pinned', await approved(OTHER_APP_KEY), [appKey]),
    bad('a card approved by itself', await approved(alice.signingKey), [appKey]),
    bad('an approval of another card', await approved(APP_KEY, withIdentity('bob')), [appKey]),
    bad('an approval made as endorser', await approved(APP_KEY, SNAPSHOT, 'endorser'), [appKey]),
    bad('an approved card when no key is pinned', exportCard(alice.card), []),
    bad(
      'an approval whose time was changed',
      exported(SNAPSHOT, [
        self,
        {
          ...(await entry(APP_KEY, SNAPSHOT, 'app', '{"approvedAt":1}')),
          extra: encodedText('{"approvedAt":2}'),
        },
      ]),
      [appKey],
    ),
  ];
}

/** `card.json`. */
export async function cardVectors(): Promise<VectorFile<CardCase>> {
  return {
    description:
      'Exported cards. Without appKeys, what a card proves by itself; with appKeys, also that one of these keys approved it.',
    page: 'card.md',
    cases: [
      ...(await goodCards()),
      ...(await badSnapshots()),
      ...(await badKeys()),
      ...(await badSignatures()),
      ...(await badExports()),
      ...(await badApprovals()),
    ],
  };
}
