/** Vectors of what an identity's entries come to. */
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import {
  approveCard,
  createCard,
  curves,
  exportCard,
  parseIdentity,
  type Bytes,
  type Card,
} from 'twilio-chat-encryption/protocol';
import type { LogFile, LogHistoryCase } from '../vector-files.ts';
import {
  approve,
  bobs,
  history,
  laptop,
  named,
  phone,
  revoke,
  step,
  theLaptop,
  thePhone,
  theTablet,
  type Step,
} from './history-steps.ts';
import { lateEndorsements } from './late-endorsements.ts';
import { device, entryOf, LOG_KEY, LOGGED, OTHER_LOG_KEY } from './logged.ts';
import { APP_KEY, APPROVED, OTHER_APP_KEY } from './people.ts';
import { bytesOf } from './source.ts';

const backEnd = await curves();
const compromised = { reason: 'compromised' } as const;

async function links(): Promise<readonly LogHistoryCase[]> {
  const next = await device('alice/next', { previous: phone });
  const second = await device('alice/second', { previous: phone });
  const afterNext = await device('alice/after next', { previous: next });
  const unsigned = await device('alice/next', { previous: phone, isSigned: false });
  const byPhone = await device('alice/watch', { endorsers: [phone] });
  const byTwo = await device('alice/watch', { endorsers: [laptop, phone] });
  const byItsOwn = await device('alice/next', { previous: phone, endorsers: [laptop, phone] });
  const byNext = await device('alice/watch', { endorsers: [next] });
  const byBob = await device('alice/watch', { endorsers: [bobs] });
  const retired = await revoke('phone, retired by itself', [phone, phone]);
  const theNext = approve('next, after phone', next);
  const theWatch = approve('watch, endorsed by phone', byPhone);
  return [
    await history('a card that another one endorsed', [thePhone, theWatch]),
    await history('a card that was endorsed by one that is logged later', [theWatch, thePhone]),
    await history('a card that was endorsed by one that was revoked before', [
      thePhone,
      retired,
      theWatch,
    ]),
    await history('a card that was endorsed by one that was replaced before', [
      thePhone,
      theNext,
      theWatch,
    ]),
    await history('a card that is endorsed by the one that replaced another', [
      thePhone,
      theNext,
      approve('watch, endorsed by next', byNext),
    ]),
    await history('a card that two others endorsed: the first in the log', [
      thePhone,
      theLaptop,
      approve('watch, endorsed by laptop and phone', byTwo),
    ]),
    await history('a card that two others endorsed, one of which is not there', [
      theLaptop,
      approve('watch, endorsed by laptop and phone', byTwo),
    ]),
    await history('a card that a card of somebody else endorsed', [
      thePhone,
      approve('watch, endorsed by bob', byBob),
    ]),
    await history('a card that replaces another', [thePhone, theNext]),
    await history('a row of cards, each of which replaces the one before', [
      thePhone,
      theNext,
      approve('after next', afterNext),
    ]),
    await history('two cards that replace one: the first does', [
      thePhone,
      theNext,
      approve('second, after phone', second),
    ]),
    await history('a card that replaces another without its signature', [
      thePhone,
      approve('next, unsigned', unsigned),
    ]),
    await history('a card that replaces one that is logged later', [theNext, thePhone]),
    await history('a card that replaces one that was revoked before', [thePhone, retired, theNext]),
    await history('a card that is endorsed by the one that it replaces, and by an older one', [
      theLaptop,
      thePhone,
      approve('next, after phone, endorsed by both', byItsOwn),
    ]),
    await history('a card that was replaced and is revoked by itself', [
      thePhone,
      theNext,
      retired,
    ]),
    await history('a card that was replaced revokes the one that follows it', [
      thePhone,
      theNext,
      await revoke('next, retired by phone', [next, phone]),
    ]),
    await history('the card that follows revokes the one that it replaced', [
      thePhone,
      theNext,
      await revoke('phone, compromised, by next', [phone, next], compromised),
    ]),
  ];
}

async function revocations(): Promise<readonly LogHistoryCase[]> {
  const byItself = await revoke('phone, retired by itself', [phone, phone]);
  const byLaptop = await revoke('phone, retired by laptop', [phone, laptop]);
  const byApp = await revoke('phone, retired by app', [phone, APP_KEY]);
  const byOtherApp = await revoke('phone, retired by other app', [phone, OTHER_APP_KEY]);
  const laptopByPhone = await revoke('laptop, retired by phone', [laptop, phone]);
  const byBob = await revoke('phone, retired by bob', [phone, bobs]);
  const forged = await revoke('phone, retired by bob as laptop', [phone, bobs], {
    signer: laptop.card.id,
  });
  const asApp = await revoke('phone, retired by laptop as app', [phone, laptop], { signer: 'app' });
  const asItself = await revoke('phone, retired by laptop as phone', [phone, laptop], {
    signer: phone.card.id,
  });
  const others = [thePhone, theLaptop];
  const late = approve('phone', phone);
  return [
    await history('a card that is revoked by itself', [...others, byItself]),
    await history('by another card', [...others, byLaptop]),
    await history('by the application', [...others, byApp]),
    await history(
      'by the application with the second of its pinned keys',
      [...others, byApp],
      [OTHER_APP_KEY, APP_KEY],
    ),
    await history('by an application key that is not pinned', [...others, byOtherApp]),
    await history(
      'by an application key that is pinned, and that did not approve it',
      [...others, byOtherApp],
      [APP_KEY, OTHER_APP_KEY],
    ),
    await history('by a card that was revoked before', [...others, laptopByPhone, byLaptop]),
    await history('by a card that is revoked later', [...others, byLaptop, laptopByPhone]),
    await history('by a card that is logged later', [thePhone, byLaptop, theLaptop]),
    await history('by a card of somebody else', [...others, byBob]),
    await history('by a key of somebody else under the name of a card', [...others, forged]),
    await history('by a card under the name of the application', [...others, asApp]),
    await history('twice', [...others, byItself, byLaptop]),
    await history('and approved once more', [...others, byItself, late]),
    await history('before it is approved, by the application', [byApp, ...others]),
    await history('before it is approved, by another card', [theLaptop, byLaptop, late, theTablet]),
    await history('before it is approved, twice', [byApp, byApp, ...others]),
    await history('before it is approved, by itself', [byItself, ...others]),
    await history('before it is approved, by somebody else under its name', [asItself, ...others]),
    await history('with entries at earlier and earlier times', [
      thePhone,
      approve('laptop', laptop, { time: LOGGED - 1 }),
      await revoke('phone, retired by laptop', [phone, laptop], {}, { time: 0 }),
    ]),
  ];
}

async function distrust(): Promise<readonly LogHistoryCase[]> {
  const byPhone = await device('alice/watch', { endorsers: [phone] });
  const alsoByPhone = await device('alice/ring', { endorsers: [phone] });
  const byWatch = await device('alice/desk', { endorsers: [byPhone] });
  const byBoth = await device('alice/car', { endorsers: [phone, laptop] });
  const next = await device('alice/next', { previous: phone });
  const later = await device('alice/hat', { endorsers: [alsoByPhone] });
  const [watch, ring] = [
    approve('watch, endorsed by phone', byPhone),
    approve('ring, endorsed by phone', alsoByPhone),
  ];
  const desk = approve('desk, endorsed by watch', byWatch);
  const car = approve('car, endorsed by phone and laptop', byBoth);
  const all = [thePhone, theLaptop, watch, ring, desk];
  const since = (position: number): Promise<Step> =>
    revoke(`phone, compromised since ${position}`, [phone, laptop], {
      ...compromised,
      since: position,
    });
  const without = await revoke('phone, compromised', [phone, laptop], compromised);
  const retired = await revoke('phone, retired by itself', [phone, phone]);
  const ownLate = await revoke('phone, compromised late, by itself', [phone, phone], {
    ...compromised,
    since: 2 ** 32 - 1,
  });
  return [
    await history('a retired card goes on vouching for what it vouched for', [...all, retired]),
    await history('a compromised one for nothing; who hangs on it goes on vouching', [
      ...all,
      without,
    ]),
    await history('a compromised one since 0', [...all, await since(0)]),
    await history('a compromised one for what was before', [...all, await since(3)]),
    await history('since the position of the last card', [...all, await since(4)]),
    await history('since its revocation', [...all, await since(5)]),
    await history('since a position that is not there yet', [...all, await since(4_294_967_295)]),
    await history('a card that somebody else vouched for too', [thePhone, theLaptop, car, without]),
    await history('a card that two vouched for who were both compromised', [
      thePhone,
      theLaptop,
      car,
      await revoke('phone, compromised, by app', [phone, APP_KEY], compromised),
      await revoke('laptop, compromised, by app', [laptop, APP_KEY], compromised),
    ]),
    await history('the card that replaced a compromised one', [
      thePhone,
      theLaptop,
      approve('next, after phone', next),
      without,
    ]),
    await history('a thief retires the card, and another says that it is compromised', [
      ...all,
      retired,
      await since(3),
    ]),
    await history('a thief says that it was compromised late, and another says when', [
      ...all,
      ownLate,
      await since(3),
    ]),
    await history('an earlier position, after one that was later', [
      ...all,
      await since(3),
      await since(0),
    ]),
    await history('a later position, after one that was earlier', [
      ...all,
      await since(3),
      await since(4),
    ]),
    await history('retired, after it was compromised', [...all, await since(3), retired]),
    await history('a card that hangs on one that lost its word before', [
      ...all,
      await since(3),
      approve('hat, endorsed by ring', later),
    ]),
  ];
}

async function invalid(): Promise<readonly LogHistoryCase[]> {
  const otherwise = await device('alice/phone', { appKey: OTHER_APP_KEY });
  const sharing = await approveCard(
    await sharingCard('alice/laptop', 'alice/phone'),
    APP_KEY,
    APPROVED,
  );
  const crossed = await approveCard(
    await sharingCard('alice/laptop', 'alice/tablet'),
    APP_KEY,
    APPROVED,
  );
  const byItself = await revoke('phone, retired by itself', [phone, phone]);
  const byApp = await revoke('phone, retired by app', [phone, APP_KEY]);
  const byOtherwise = await revoke('laptop, retired by phone', [laptop, phone]);
  const unapproved = approve('phone, approved by another key', otherwise);
  const nothing = (name: string, text: string): Step => step('approve', name, text, phone.card.id);
  const bobsCard = approve('bob', bobs);
  const selfSigned = step('approve', 'phone, not approved', exportCard(phone.card), phone.card.id);
  return [
    await history('an approval by a key that is not pinned', [unapproved, theLaptop]),
    await history(
      'the same, where both keys are pinned',
      [unapproved, theLaptop],
      [APP_KEY, OTHER_APP_KEY],
    ),
    await history('the same, where nothing is pinned', [unapproved, theLaptop], []),
    await history('an approval by a key that is not pinned, and then by one that is', [
      unapproved,
      theLaptop,
      thePhone,
    ]),
    await history('revoked by itself between the two', [unapproved, byItself, thePhone]),
    await history('revoked by the application between the two', [unapproved, byApp, thePhone]),
    await history('a card that is not accepted says something about another', [
      unapproved,
      theLaptop,
      byOtherwise,
    ]),
    await history('a card that is not approved', [selfSigned]),
    await history('a card twice', [thePhone, thePhone]),
    await history('a card with the encryption key of an earlier one', [
      thePhone,
      step('approve', 'laptop with the encryption key of phone', exportCard(sharing), sharing.id),
    ]),
    await history('two cards with one encryption key, the earlier of which was revoked', [
      thePhone,
      byItself,
      step('approve', 'laptop with the encryption key of phone', exportCard(sharing), sharing.id),
    ]),
    await history('a card with a key of one that does not count', [
      unapproved,
      step('approve', 'laptop with the encryption key of phone', exportCard(sharing), sharing.id),
    ]),
    await history('a card with a signing key of one and an encryption key of another', [
      theLaptop,
      theTablet,
      step('approve', 'laptop with the encryption key of tablet', exportCard(crossed), crossed.id),
    ]),
    await history('a card of somebody else', [bobsCard, thePhone]),
    await history('a card under the id of another', [
      approve('phone', phone, { cardId: laptop.card.id }),
      theLaptop,
    ]),
    await history('a revocation under the id of another', [
      thePhone,
      theLaptop,
      await revoke('phone, retired by itself', [phone, phone], {}, { cardId: laptop.card.id }),
    ]),
    await history('a revocation as an approval, and the reverse', [
      thePhone,
      step('approve', byItself.content, named.get(byItself.content) ?? '', phone.card.id),
      step('revoke', thePhone.content, phone.exported, phone.card.id),
    ]),
    await history('what is no card', [
      nothing('nothing', ''),
      nothing('a text', 'no card, né 🎈'),
      nothing('an object', base64urlnopad.encode(utf8ToBytes('{}'))),
      step('revoke', 'an object', base64urlnopad.encode(utf8ToBytes('{}')), phone.card.id),
      thePhone,
    ]),
  ];
}

/** The card of one device with the encryption key of another. */
async function sharingCard(name: string, keysOf: string): Promise<Card> {
  const key = await backEnd.importSigningKey(bytesOf(`${name}/signing`));
  const agreement = await backEnd.importAgreementKey(bytesOf(`${keysOf}/encryption`));
  return createCard({ identity: parseIdentity('alice'), createdAt: 0 }, key, agreement);
}

async function refused(): Promise<readonly LogHistoryCase[]> {
  const raw = (change: (entry: Bytes) => Uint8Array): Step => ({
    content: thePhone.content,
    entry: (position) => new Uint8Array(change(thePhone.entry(position))),
  });
  const bobsHash = entryOf('approve', phone.card.id, phone.exported, { identity: 'bob' });
  return [
    await history('an entry of another identity among others', [
      theLaptop,
      raw((entry) => concatBytes(entry.slice(0, 9), bobsHash.slice(9, 41), entry.slice(41))),
    ]),
    await history('an entry of another log', [
      approve('phone', phone, { logKey: OTHER_LOG_KEY.publicKey }),
    ]),
    await history('an entry with the content of another', [
      theLaptop,
      { ...thePhone, content: theLaptop.content },
    ]),
    await history('an entry of an operation that is not known', [
      theLaptop,
      raw((entry) => concatBytes(Uint8Array.of(3), entry.slice(1))),
    ]),
    await history('an entry that is cut short', [raw((entry) => entry.slice(0, -1))]),
    await history('an entry that is too long', [raw((entry) => concatBytes(entry, entry))]),
    await history('an entry at a time that no Date holds', [
      raw((entry) => concatBytes(entry.slice(0, 1), new Uint8Array(8).fill(255), entry.slice(9))),
    ]),
  ];
}

/** `log-history.json`. */
export async function logHistoryVectors(): Promise<LogFile<LogHistoryCase>> {
  const cases = [
    await history('nothing', []),
    await history('a card', [thePhone]),
    await history('three cards that nothing connects', [thePhone, theLaptop, theTablet]),
    ...(await links()),
    ...(await revocations()),
    ...(await distrust()),
    ...(await lateEndorsements()),
    ...(await invalid()),
    ...(await refused()),
  ];
  return {
    description:
      'Entries of an identity in their order, and what a client with these pinned keys reads in them. That they are all of them is for log-lookup.json.',
    page: 'log.md',
    logKey: bytesToHex(LOG_KEY.publicKey),
    contents: Object.fromEntries(named),
    cases,
  };
}
