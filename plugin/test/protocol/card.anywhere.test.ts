import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64url as padded, base64urlnopad } from '@scure/base';
import fc from 'fast-check';
import { isPlainText } from '../../src/protocol/identifiers.ts';
import { describe, expect, test } from 'vitest';
import {
  approveCard,
  CARD_LIMITS,
  checkApproval,
  createCard,
  curves,
  exportCard,
  importCard,
  isEncryptionError,
  parseCardId,
  parseIdentity,
  xwing,
  type Bytes,
  type CardContent,
} from 'twilio-chat-encryption/protocol';
import { codeOf, failureOf } from '../outcomes.ts';
import { codePoint } from './arbitraries.ts';
import {
  encoded,
  encodedText,
  forgedExport,
  forgedSignature,
  selfSigned,
  type ForgedSignature,
} from './forged-card.ts';
import { openRaw } from './malicious-member.ts';
import { APP_KEY, person, random, seal } from './people.ts';

const alice = await person('alice');
const other = await person('other');
const backEnd = await curves();
const appKey = await backEnd.importVerifyingKey(APP_KEY.publicKey);
const otherAppKey = await backEnd.importVerifyingKey(other.signingKey.publicKey);

const K = encoded(alice.signingKey.publicKey);
const E = encoded(alice.encryptionKey.publicKey);
const CREATED = 1_700_000_000_000;
const SNAPSHOT = `{"v":1,"identity":"alice","signingKey":"${K}","encryptionKey":"${E}","createdAt":${CREATED}}`;
const SNAPSHOT_BYTES = utf8ToBytes(SNAPSHOT);

const pqKey = await (await xwing()).importKey(random(32));
const Q = encoded(pqKey.publicKey);
const PQ_SNAPSHOT = SNAPSHOT.replace(`"${E}"`, `"${E}","pqEncryptionKey":"${Q}"`);

/** A card of alice's keys. */
function create(content: Partial<CardContent> = {}): ReturnType<typeof createCard> {
  const whole = { identity: parseIdentity('alice'), createdAt: CREATED, ...content };
  return createCard(whole, alice.signingKey, alice.encryptionKey);
}

/** So many fields of this value, named a, b, c… */
const fieldsOf = (count: number, value: string): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [String.fromCharCode(97 + at), value]),
  );

/** {@link SNAPSHOT} with members added behind. */
const withMembers = (members: string): string => `${SNAPSHOT.slice(0, -1)},${members}}`;

describe('a card', () => {
  test('is the same after export and import, approved under the pinned key', async () => {
    const content = {
      identity: parseIdentity('ålice 🎈'),
      createdAt: 0,
      device: 'Åse’s phone "1"',
      previousCardId: parseCardId('ab'.repeat(32)),
      fields: { team: 'blue', é: '\u0000\n', '7': 'x' },
    };
    const own = await createCard(content, alice.signingKey, alice.encryptionKey);
    const card = await approveCard(own, APP_KEY, 12);
    const again = await importCard(exportCard(card));
    expect(again).toMatchObject({ ...content, id: own.id });
    expect(again.encryptionKey).toEqual(alice.encryptionKey.publicKey);
    expect(again.signingKey.publicKey).toEqual(alice.signingKey.publicKey);
    expect(exportCard(again)).toBe(exportCard(card));
    await checkApproval(again, [otherAppKey, appKey]);
  });

  test('has the form that the specification says, byte for byte', async () => {
    const card = await create();
    expect(new TextDecoder().decode(card.snapshot)).toBe(SNAPSHOT);
    expect(exportCard(card)).toBe(await selfSigned(alice.signingKey, SNAPSHOT));
  });

  test('survives for whatever content it was made of', async () => {
    const text = fc.string({ unit: codePoint, minLength: 1, maxLength: 20 });
    const content = fc.record(
      {
        createdAt: fc.nat({ max: 8.64e15 }),
        device: text.filter(isPlainText),
        fields: fc.dictionary(text, text, { minKeys: 1, maxKeys: 4 }),
      },
      { requiredKeys: ['createdAt'] },
    );
    await fc.assert(
      fc.asyncProperty(content, async (said) => {
        const again = await importCard(exportCard(await create(said)));
        expect(Object.entries(again.fields ?? {})).toEqual(Object.entries(said.fields ?? {}));
        expect(again.device).toBe(said.device);
        expect(again.createdAt).toBe(said.createdAt);
      }),
      { numRuns: 60 },
    );
  });

  test('may be of the identity __proto__, with a field of that name', async () => {
    const fields = Object.fromEntries([['__proto__', 'own'] as const]);
    const card = await create({ identity: parseIdentity('__proto__'), fields });
    const again = await importCard(exportCard(card));
    expect(again.identity).toBe('__proto__');
    expect(Object.entries(again.fields ?? {})).toEqual([['__proto__', 'own']]);
    expect(Object.getPrototypeOf(again.fields)).toBe(Object.prototype);
  });

  test.each<[string, Partial<CardContent>]>([
    ['no device name', { device: '' }],
    ['a device name of 257 characters', { device: 'd'.repeat(CARD_LIMITS.text + 1) }],
    ['a lone surrogate', { device: '\ud800' }],
    ['a device name with a control character', { device: 'a\u0000b' }],
    ['a device name that runs backwards', { device: 'a\u202eb' }],
    ['a time that no Date holds', { createdAt: 8.64e15 + 1 }],
    ['a field name that is a lone surrogate', { fields: { '\udc00': 'x' } }],
    ['an empty field', { fields: { a: '' } }],
    ['17 fields', { fields: fieldsOf(17, 'x') }],
    ['a long field', { fields: { a: 'x'.repeat(257) } }],
    ['a time before 1970', { createdAt: -1 }],
    ['a time that is no number', { createdAt: NaN }],
    ['half a millisecond', { createdAt: 0.5 }],
    ['over 8 KiB in few characters', { fields: fieldsOf(16, '語'.repeat(256)) }],
  ])('is not made with %s', async (_what, content) => {
    expect(await codeOf(create(content))).toBe('INVALID_ARGUMENT');
  });

  test('is made with texts and fields just within the limits', async () => {
    const card = await create({ device: 'd'.repeat(256), fields: fieldsOf(16, 'x'.repeat(256)) });
    expect((await importCard(exportCard(card))).id).toBe(card.id);
  });

  test.each(['Zoë’s ❤\ufe0f phone', '👩\u200d💻', 'گوشی\u200cمن', 'a\u0378'])(
    'is made with a device name that people give, such as %j',
    async (device) => {
      expect((await importCard(exportCard(await create({ device })))).device).toBe(device);
    },
  );

  test('is approved at any time that there is', async () => {
    for (const time of [0, 8.64e15]) {
      const card = await importCard(exportCard(await approveCard(await create(), APP_KEY, time)));
      await checkApproval(card, [appKey]);
    }
  });

  test('is not approved into a form that nobody can import', async () => {
    for (const time of [0.5, -1, 8.64e15 + 1, NaN]) {
      const approved = approveCard(alice.card, APP_KEY, time);
      expect(await codeOf(approved), String(time)).toBe('INVALID_ARGUMENT');
    }
    const self = await create();
    const full = { ...self, signatures: Array.from({ length: 8 }, () => alice.card.signatures) };
    const eight = { ...self, signatures: full.signatures.flat().slice(0, 8) };
    expect(await codeOf(approveCard(eight, APP_KEY, 1))).toBe('INVALID_ARGUMENT');
  });
});

describe('a card does not import', () => {
  test('from anything but unpadded base64url', async () => {
    const good = exportCard(alice.card);
    const json = base64urlnopad.decode(good);
    const wrong = ['', ' ', `${good} `, `\n${good}`, good.slice(0, -1), `${good}A`, `${good}=`];
    for (const text of [...wrong, padded.encode(concatBytes(json, Uint8Array.of(32)))]) {
      expect(await codeOf(importCard(text))).toBe('CARD_INVALID');
    }
    expect(await codeOf(importCard('e30'))).toBe('CARD_INVALID');
    expect(await codeOf(importCard('A'.repeat(1_000_000)))).toBe('CARD_INVALID');
  });

  test.each([
    ['whitespace', SNAPSHOT.replace(':1,', ': 1,')],
    ['a trailing space', `${SNAPSHOT} `],
    ['trailing bytes', `${SNAPSHOT}{}`],
    ['a byte-order mark', `\ufeff${SNAPSHOT}`],
    ['a duplicate member, the same', withMembers(`"createdAt":${CREATED}`)],
    ['a duplicate member, first', SNAPSHOT.replace('"identity"', '"identity":"bob","identity"')],
    ['a duplicate member, last', withMembers('"identity":"bob"')],
    ['reordered members', `{"identity":"alice","v":1,${SNAPSHOT.slice(26)}`],
    ['an unknown member', withMembers('"admin":true')],
    ['a member __proto__', withMembers('"__proto__":{"identity":"bob"}')],
    ['a member that is null', withMembers('"device":null')],
    ['a number in another spelling', SNAPSHOT.replace(String(CREATED), '17e11')],
    ['a number with a fraction', SNAPSHOT.replace(String(CREATED), `${CREATED}.0`)],
    ['a number as a string', SNAPSHOT.replace(String(CREATED), `"${CREATED}"`)],
    ['a number that is not exact', SNAPSHOT.replace(String(CREATED), '9007199254740993')],
    ['minus zero', SNAPSHOT.replace(String(CREATED), '-0')],
    ['an escaped character', SNAPSHOT.replace('alice', '\\u0061lice')],
    ['an escaped slash', withMembers('"device":"a\\/b"')],
    ['an escaped lone surrogate', withMembers('"device":"\\ud800"')],
    ['another version', SNAPSHOT.replace('"v":1', '"v":2')],
    ['no version', SNAPSHOT.replace('"v":1,', '')],
    ['no identity', SNAPSHOT.replace('"identity":"alice",', '')],
    ['an identity of no characters', SNAPSHOT.replace('alice', '')],
    ['an identity that is not NFC', SNAPSHOT.replace('alice', 'ali\u0308ce')],
    ['an identity with a bidirectional override', SNAPSHOT.replace('alice', 'al\u202eice')],
    ['a padded key', SNAPSHOT.replace(K, `${K}=`)],
    ['a key in base64', SNAPSHOT.replace(K, `+/${K.slice(2)}`)],
    ['a short key', SNAPSHOT.replace(E, E.slice(0, 42))],
    ['no fields in fields', withMembers('"fields":{}')],
    ['fields as a list', withMembers('"fields":["x"]')],
    ['fields in another order', withMembers('"fields":{"2":"x","1":"x"}')],
    ['a field twice', withMembers('"fields":{"a":"x","a":"x"}')],
    ['a field that is a number', withMembers('"fields":{"a":1}')],
    ['a card id in upper case', withMembers(`"previousCardId":"${'AB'.repeat(32)}"`)],
    ['a list around it', `[${SNAPSHOT}]`],
    ['a string around it', JSON.stringify(SNAPSHOT)],
    ['nothing', ''],
    ['null', 'null'],
    ['only brackets', '['.repeat(8000)],
  ])('when its snapshot has %s', async (_what, snapshot) => {
    expect(snapshot).not.toBe(SNAPSHOT);
    const failure = await failureOf(importCard(await selfSigned(alice.signingKey, snapshot)));
    expect(failure.code).toBe('CARD_INVALID');
  });

  test('when its snapshot is not UTF-8', async () => {
    const latin = Uint8Array.from(withMembers('"device":"\u00e9"'), (c) => c.charCodeAt(0));
    expect(await codeOf(importCard(await selfSigned(alice.signingKey, latin)))).toBe(
      'CARD_INVALID',
    );
  });

  test('over its limits', async () => {
    const big = withMembers(`"fields":${JSON.stringify(fieldsOf(16, '語'.repeat(256)))}`);
    expect(utf8ToBytes(big).length).toBeGreaterThan(CARD_LIMITS.snapshot);
    const many = withMembers(`"fields":${JSON.stringify(fieldsOf(17, 'x'))}`);
    const long = withMembers(`"device":"${'d'.repeat(257)}"`);
    for (const snapshot of [big, many, long]) {
      const exported = await selfSigned(alice.signingKey, snapshot);
      expect(await codeOf(importCard(exported))).toBe('CARD_INVALID');
    }
    const self = await forgedSignature(alice.signingKey, SNAPSHOT_BYTES);
    const apps = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        forgedSignature(APP_KEY, SNAPSHOT_BYTES, 'app', `{"approvedAt":${index}}`),
      ),
    );
    const eight = forgedExport(SNAPSHOT_BYTES, [self, ...apps.slice(1)]);
    expect((await importCard(eight)).signatures).toHaveLength(8);
    const nine = forgedExport(SNAPSHOT_BYTES, [self, ...apps]);
    expect(await codeOf(importCard(nine))).toBe('CARD_INVALID');
  });

  test('with an encryption key of low order or not canonical', async () => {
    const [zero, nine] = [new Uint8Array(32), new Uint8Array(32).fill(0xff)];
    nine.set([0xf6], 0);
    nine.set([0x7f], 31);
    const high = alice.encryptionKey.publicKey.slice();
    high[31] = (high[31] ?? 0) | 0x80;
    for (const key of [zero, nine, high]) {
      const snapshot = SNAPSHOT.replace(E, encoded(key));
      const failure = await failureOf(importCard(await selfSigned(alice.signingKey, snapshot)));
      expect(failure.code).toBe('CARD_INVALID');
      expect(failure.message).toContain('encryption key');
    }
  });

  test('with a signing key of small order, under which anything would verify', async () => {
    for (const key of ED25519_TORSION_SUBGROUP) {
      const snapshot = utf8ToBytes(SNAPSHOT.replace(K, encoded(hexToBytes(key))));
      const signature = { signer: 'self', signature: encoded(new Uint8Array(64)) };
      const failure = await failureOf(importCard(forgedExport(snapshot, [signature])));
      expect(failure.code).toBe('CARD_INVALID');
      expect(failure.message).toContain('signing key');
    }
  });

  test('with one key for signing and for encryption, of either suite', async () => {
    // Half of all Ed25519 keys have the highest bit, which no X25519 key has.
    let key = await backEnd.importSigningKey(random(32));
    while ((key.publicKey[31] ?? 0) >= 0x80) key = await backEnd.importSigningKey(random(32));
    const own = encoded(key.publicKey);
    const pqWithOwn = pqKey.publicKey.slice();
    pqWithOwn.set(key.publicKey, 1184);
    for (const snapshot of [
      SNAPSHOT.replace(K, own).replace(E, own),
      PQ_SNAPSHOT.replace(K, own).replace(Q, encoded(pqWithOwn)),
    ]) {
      const failure = await failureOf(importCard(await selfSigned(key, snapshot)));
      expect(failure.code).toBe('CARD_INVALID');
      expect(failure.message).toContain('one key for two purposes');
    }
  });

  test('unless it has exactly one right signature of its own', async () => {
    const self = await forgedSignature(alice.signingKey, SNAPSHOT_BYTES);
    const wrong: Record<string, readonly ForgedSignature[]> = {
      none: [],
      'only the approval': [
        await forgedSignature(APP_KEY, SNAPSHOT_BYTES, 'app', '{"approvedAt":1}'),
      ],
      two: [self, self],
      'of another key': [await forgedSignature(other.signingKey, SNAPSHOT_BYTES)],
      'on another snapshot': [
        await forgedSignature(alice.signingKey, utf8ToBytes(SNAPSHOT.replace('alice', 'bob'))),
      ],
      'made as predecessor': [
        {
          ...(await forgedSignature(alice.signingKey, SNAPSHOT_BYTES, 'predecessor')),
          signer: 'self',
        },
      ],
      'with an extra': [await forgedSignature(alice.signingKey, SNAPSHOT_BYTES, 'self', '{}')],
      'of 63 bytes': [{ ...self, signature: encoded(new Uint8Array(63)) }],
    };
    expect((await importCard(forgedExport(SNAPSHOT_BYTES, [self]))).identity).toBe('alice');
    for (const [what, signatures] of Object.entries(wrong)) {
      const exported = forgedExport(SNAPSHOT_BYTES, signatures);
      expect(await codeOf(importCard(exported)), what).toBe('CARD_INVALID');
    }
  });

  test('with an approval of another form', async () => {
    const self = await forgedSignature(alice.signingKey, SNAPSHOT_BYTES);
    const extras = ['{}', '{"approvedAt":1.5}', '{"approvedAt":"1"}', '{ "approvedAt":1}', '1'];
    const times = ['-1', '-0', '8640000000000001', '9007199254740991'];
    extras.push(...times.map((time) => `{"approvedAt":${time}}`));
    for (const extra of [...extras, '{"approvedAt":1,"by":"me"}', '{"approvedAt":1e3}', '']) {
      const app = await forgedSignature(APP_KEY, SNAPSHOT_BYTES, 'app', extra);
      expect(await codeOf(importCard(forgedExport(SNAPSHOT_BYTES, [self, app]))), extra).toBe(
        'CARD_INVALID',
      );
    }
    const endorser = { ...self, signer: 'endorser', extra: encodedText('{"cardId":"ab"}') };
    const unknown = { ...self, signer: 'root' };
    for (const signature of [endorser, unknown]) {
      expect(await codeOf(importCard(forgedExport(SNAPSHOT_BYTES, [self, signature])))).toBe(
        'CARD_INVALID',
      );
    }
  });

  test('in any other form of the export around it', async () => {
    const self = await forgedSignature(alice.signingKey, SNAPSHOT_BYTES);
    const json = JSON.stringify({ contentSnapshot: encoded(SNAPSHOT_BYTES), signatures: [self] });
    expect((await importCard(encodedText(json))).identity).toBe('alice');
    for (const text of [
      ` ${json}`,
      `${json}\n`,
      `\ufeff${json}`,
      json.replace('{', '{"v":1,'),
      json.replace('"signatures"', '"signatures":[],"signatures"'),
      json.replace('"self"', '"\\u0073elf"'),
      json.replace('"signer":"self",', '').replace('"}]', '","signer":"self"}]'),
      json.replace('"}]', '","extra":""}]'),
      json.replace(']', ',null]'),
      `{"signatures":[],"contentSnapshot":""}`,
    ]) {
      expect(text).not.toBe(json);
      expect(await codeOf(importCard(encodedText(text)))).toBe('CARD_INVALID');
    }
  });
});

describe('a card of suite 2', () => {
  /** A snapshot whose post-quantum key has something else at `offset`. */
  function withKeyBytes(offset: number, bytes: readonly number[]): string {
    const key = pqKey.publicKey.slice();
    key.set(bytes, offset);
    return PQ_SNAPSHOT.replace(Q, encoded(key));
  }

  test('has its key behind the other one, byte for byte', async () => {
    const content = { identity: parseIdentity('alice'), createdAt: CREATED };
    const card = await createCard(content, alice.signingKey, alice.encryptionKey, pqKey);
    expect(new TextDecoder().decode(card.snapshot)).toBe(PQ_SNAPSHOT);
    expect(exportCard(card)).toBe(await selfSigned(alice.signingKey, PQ_SNAPSHOT));
    const again = await importCard(exportCard(await approveCard(card, APP_KEY, 12)));
    expect(again.pqEncryptionKey).toEqual(pqKey.publicKey);
    expect(again.encryptionKey).toEqual(alice.encryptionKey.publicKey);
    await checkApproval(again, [appKey]);
    expect(await create()).not.toHaveProperty('pqEncryptionKey');
  });

  test('is made with all the fields within the limits', async () => {
    const content = {
      identity: parseIdentity('a'.repeat(256)),
      createdAt: CREATED,
      device: 'd'.repeat(256),
      fields: fieldsOf(16, 'x'.repeat(256)),
    };
    const card = await createCard(content, alice.signingKey, alice.encryptionKey, pqKey);
    let full = card;
    for (let at = 1; at < CARD_LIMITS.signatures; at += 1) {
      full = await approveCard(full, APP_KEY, at);
    }
    expect((await importCard(exportCard(full))).signatures).toHaveLength(8);
    const over = { ...content, fields: fieldsOf(16, 'é'.repeat(256)) };
    const making = createCard(over, alice.signingKey, alice.encryptionKey, pqKey);
    expect(await codeOf(making)).toBe('INVALID_ARGUMENT');
  });

  test.each([
    ['no key in its member', PQ_SNAPSHOT.replace(`"${Q}"`, '""')],
    ['null for it', PQ_SNAPSHOT.replace(`"${Q}"`, 'null')],
    ['a padded key', PQ_SNAPSHOT.replace(Q, `${Q}==`)],
    ['a key in base64', PQ_SNAPSHOT.replace(Q, `+/${Q.slice(2)}`)],
    ['bits behind the key', PQ_SNAPSHOT.replace(Q, `${Q.slice(0, -1)}_`)],
    ['a longer key', PQ_SNAPSHOT.replace(Q, encoded(new Uint8Array(1217)))],
    ['the key twice', PQ_SNAPSHOT.replace(`"${Q}"`, `"${Q}","pqEncryptionKey":"${Q}"`)],
    ['the key last', withMembers(`"pqEncryptionKey":"${Q}"`)],
    [
      'the key before the other one',
      SNAPSHOT.replace('"encryptionKey"', `"pqEncryptionKey":"${Q}","encryptionKey"`),
    ],
    ['no other key', PQ_SNAPSHOT.replace(`"encryptionKey":"${E}",`, '')],
    ['another name', PQ_SNAPSHOT.replace('pqEncryptionKey', 'pqencryptionKey')],
  ])('does not import with %s', async (_what, snapshot) => {
    expect([SNAPSHOT, PQ_SNAPSHOT]).not.toContain(snapshot);
    const failure = await failureOf(importCard(await selfSigned(alice.signingKey, snapshot)));
    expect(failure.code).toBe('CARD_INVALID');
    expect(failure.message).toContain('snapshot');
  });

  test.each([
    ['too short', PQ_SNAPSHOT.replace(Q, encoded(pqKey.publicKey.slice(0, 1215)))],
    ['an X25519 key', PQ_SNAPSHOT.replace(Q, E)],
    ['an ML-KEM key', PQ_SNAPSHOT.replace(Q, encoded(pqKey.publicKey.slice(0, 1184)))],
    ['not reduced at the start', withKeyBytes(0, [0x01, 0x0d, 0x00])],
    ['not reduced at the end', withKeyBytes(1149, [0x00, 0x10, 0xd0])],
    [
      'of low order',
      withKeyBytes(
        1184,
        Array.from({ length: 32 }, () => 0),
      ),
    ],
    ['not canonical', withKeyBytes(1215, [0xff])],
  ])('does not import with a post-quantum key that is %s', async (_what, snapshot) => {
    const failure = await failureOf(importCard(await selfSigned(alice.signingKey, snapshot)));
    expect(failure.code).toBe('CARD_INVALID');
    expect(failure.message).toContain('post-quantum');
  });
});

describe('an approval', () => {
  test('is needed, under one of the pinned keys', async () => {
    const unapproved = await create();
    expect(await codeOf(checkApproval(unapproved, [appKey]))).toBe('CARD_INVALID');
    expect(await codeOf(checkApproval(alice.card, [otherAppKey]))).toBe('CARD_INVALID');
    expect(await codeOf(checkApproval(alice.card, []))).toBe('CARD_INVALID');
    await checkApproval(alice.card, [otherAppKey, appKey]);
  });

  test('may stand among signatures of others', async () => {
    const foreign = await approveCard(await create(), other.signingKey, 1);
    const both = await approveCard(foreign, APP_KEY, 2);
    await checkApproval(await importCard(exportCard(both)), [appKey]);
  });

  test('covers its time', async () => {
    const signatures = alice.card.signatures.map((one) =>
      one.signer === 'app'
        ? { ...one, extra: new Uint8Array(utf8ToBytes('{"approvedAt":1}')) }
        : one,
    );
    const backdated = await importCard(exportCard({ ...alice.card, signatures }));
    expect(await codeOf(checkApproval(backdated, [appKey]))).toBe('CARD_INVALID');
  });

  test('of one card is none of another', async () => {
    const approval = alice.card.signatures.filter(({ signer }) => signer === 'app');
    const planted = {
      ...other.card,
      signatures: [...other.card.signatures.slice(0, 1), ...approval],
    };
    const card = await importCard(exportCard(planted));
    expect(await codeOf(checkApproval(card, [appKey]))).toBe('CARD_INVALID');
  });

  test('cannot be the application’s signature as another signer', async () => {
    const self = await forgedSignature(alice.signingKey, SNAPSHOT_BYTES);
    const endorsement = await forgedSignature(
      APP_KEY,
      SNAPSHOT_BYTES,
      'endorser',
      `{"cardId":"${'ab'.repeat(32)}"}`,
    );
    const card = await importCard(forgedExport(SNAPSHOT_BYTES, [self, endorsement]));
    expect(await codeOf(checkApproval(card, [appKey]))).toBe('CARD_INVALID');
  });
});

test('signing a chat message never signs a card, whatever the message says', async () => {
  const text = await seal(alice, [other], SNAPSHOT);
  const signature = encoded(openRaw(text, other.encryptionSecret).slice(0, 64));
  for (const signer of ['self', 'app']) {
    const forged = { signer, signature, ...(signer === 'app' && { extra: encodedText('{}') }) };
    expect(await codeOf(importCard(forgedExport(SNAPSHOT_BYTES, [forged])))).toBe('CARD_INVALID');
  }
});

test('no changed export is another valid card', async () => {
  const good = exportCard(alice.card);
  const json = base64urlnopad.decode(good);
  const snapshot = alice.card.snapshot;
  const signatures = alice.card.signatures.map(({ signer, signature, extra }) => ({
    signer,
    signature: encoded(signature),
    ...(extra.length > 0 && { extra: encoded(extra) }),
  }));
  const edit = fc.record({
    layer: fc.constantFrom('text', 'json', 'snapshot'),
    at: fc.nat(),
    remove: fc.nat(3),
    insert: fc.uint8Array({ maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(edit, async ({ layer, at, remove, insert }) => {
      const spliced = (bytes: Uint8Array): Uint8Array => {
        const start = at % bytes.length;
        return concatBytes(bytes.subarray(0, start), insert, bytes.subarray(start + remove));
      };
      const text =
        layer === 'text'
          ? String.fromCharCode(...spliced(utf8ToBytes(good)))
          : layer === 'json'
            ? encoded(spliced(json))
            : forgedExport(spliced(snapshot), signatures);
      try {
        const card = await importCard(text);
        await checkApproval(card, [appKey]);
        expect(card.id).toBe(alice.card.id);
        expect(card.snapshot).toEqual<Bytes>(snapshot);
      } catch (error) {
        if (!isEncryptionError(error, 'CARD_INVALID')) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test('a card made of random bytes is never valid, and never another error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.json(), async (snapshot, around) => {
      expect(await codeOf(importCard(encodedText(around)))).toBe('CARD_INVALID');
      const exported = await selfSigned(alice.signingKey, snapshot);
      expect(await codeOf(importCard(exported))).toBe('CARD_INVALID');
    }),
    { numRuns: 100 },
  );
  expect(await codeOf(importCard(encoded(random(200))))).toBe('CARD_INVALID');
});
