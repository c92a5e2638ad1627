/** Vectors of endorsements that are logged after the card that they are of. */
import { approveCard, exportCard } from 'twilio-chat-encryption/protocol';
import type { LogHistoryCase } from '../vector-files.ts';
import {
  approve,
  bobs,
  history,
  laptop,
  phone,
  revoke,
  step,
  tablet,
  theLaptop,
  thePhone,
  theTablet,
  type Step,
} from './history-steps.ts';
import { device, type Device } from './logged.ts';
import { APP_KEY, APPROVED, OTHER_APP_KEY } from './people.ts';

const compromised = { reason: 'compromised' } as const;

/** The entry of a card of alice once more, with these endorsements. */
async function late(name: string, by: Readonly<Record<string, Device>>): Promise<Step> {
  const endorsers = Object.values(by);
  const title = `${name}, endorsed by ${Object.keys(by).join(' and ')}`;
  return approve(title, await device(`alice/${name}`, { endorsers }));
}

const since = (position: number): Promise<Step> =>
  revoke(`phone, compromised since ${position}, by app`, [phone, APP_KEY], {
    ...compromised,
    since: position,
  });

const laptopByPhone = await late('laptop', { phone });
const next = await device('alice/next', { previous: phone });
const theNext = approve('next, after phone', next);

/** Cases of `log-history.json`. */
export async function lateEndorsements(): Promise<readonly LogHistoryCase[]> {
  return [...(await added()), ...(await nothingAdded()), ...(await stolen())];
}

async function added(): Promise<readonly LogHistoryCase[]> {
  const byBoth = await late('tablet', { phone, laptop });
  const byLaptop = await late('tablet', { laptop });
  const both = [thePhone, theLaptop];
  const nextByLaptop = await device('alice/next', { previous: phone, endorsers: [laptop] });
  const anew = await device('alice/laptop', { endorsers: [phone], appKey: OTHER_APP_KEY });
  const approvedTwice = await approveCard(anew.card, APP_KEY, APPROVED);
  const signedTwice = await approveCard(approvedTwice, OTHER_APP_KEY, APPROVED);
  return [
    await history('a card that is endorsed after it was logged', [...both, laptopByPhone]),
    await history('a card that is endorsed late by one that was logged later', [
      theLaptop,
      thePhone,
      laptopByPhone,
    ]),
    await history('a card that is endorsed late by two, in one entry', [
      ...both,
      theTablet,
      byBoth,
    ]),
    await history('a card that is endorsed late by two, one after the other', [
      ...both,
      theTablet,
      byLaptop,
      byBoth,
    ]),
    await history('a later entry without the endorsement of an earlier one', [
      ...both,
      theTablet,
      byLaptop,
      await late('tablet', { phone }),
    ]),
    await history('a card that replaced another, endorsed late', [
      ...both,
      theNext,
      approve('next, after phone, endorsed by laptop', nextByLaptop),
    ]),
    await history(
      'an endorsement on the card from the beginning, by one that is logged only then',
      [laptopByPhone, thePhone, laptopByPhone],
    ),
    await history('an endorsement late, and an approval by another key besides', [
      ...both,
      step(
        'approve',
        'laptop, endorsed by phone, approved by both keys',
        exportCard(signedTwice),
        laptop.card.id,
      ),
    ]),
    await history(
      'an endorsement late, approved by another key that is pinned',
      [...both, approve('laptop, endorsed by phone, approved by the other key', anew)],
      [APP_KEY, OTHER_APP_KEY],
    ),
    await history('two cards that endorse each other', [
      ...both,
      laptopByPhone,
      await late('phone', { laptop }),
    ]),
  ];
}

async function nothingAdded(): Promise<readonly LogHistoryCase[]> {
  const both = [thePhone, theLaptop];
  const retired = await revoke('phone, retired by itself', [phone, phone]);
  const laptopRetired = await revoke('laptop, retired by app', [laptop, APP_KEY]);
  const forged = { ...bobs, card: phone.card };
  const unapproved = await device('alice/laptop', { endorsers: [phone], appKey: OTHER_APP_KEY });
  const unsigned = await device('alice/next', { previous: phone, isSigned: false });
  const afterLaptop = await device('alice/desk', { previous: laptop });
  return [
    await history('an endorsement late, twice', [...both, laptopByPhone, laptopByPhone]),
    await history('late, by a card that is not there', [theLaptop, laptopByPhone]),
    await history('late, by a card that was revoked', [...both, retired, laptopByPhone]),
    await history('late, by a card that was replaced', [...both, theNext, laptopByPhone]),
    await history('late, by a card of somebody else', [
      ...both,
      await late('laptop', { bob: bobs }),
    ]),
    await history('late, by itself', [...both, await late('laptop', { laptop })]),
    await history('late, by another key under the id of a card', [
      ...both,
      await late('laptop', { 'bob as phone': forged }),
    ]),
    await history('late, of a card that was revoked', [...both, laptopRetired, laptopByPhone]),
    await history('late, of a card that was replaced', [
      ...both,
      approve('desk, after laptop', afterLaptop),
      laptopByPhone,
    ]),
    await history('late, of a card that was revoked before it was there', [
      thePhone,
      laptopRetired,
      laptopByPhone,
    ]),
    await history('late, approved by a key that is not pinned', [
      ...both,
      approve('laptop, endorsed by phone, approved by the other key', unapproved),
    ]),
    await history('late, under the id of another card', [
      ...both,
      theTablet,
      approve(laptopByPhone.content, await device('alice/laptop', { endorsers: [phone] }), {
        cardId: tablet.card.id,
      }),
    ]),
    await history('the signature of the card that it replaces, only later', [
      thePhone,
      approve('next, unsigned', unsigned),
      theNext,
    ]),
  ];
}

async function stolen(): Promise<readonly LogHistoryCase[]> {
  const watch = await device('alice/watch');
  const theWatch = approve('watch', watch);
  const watchByPhone = await late('watch', { phone });
  const ringByWatch = await late('ring', { watch });
  const ring = await device('alice/ring');
  const watchByRing = await late('watch', { ring });
  const tabletByLaptop = await late('tablet', { laptop });
  const nextByWatch = await device('alice/next', { previous: phone, endorsers: [watch] });
  const nextLate = approve('next, after phone, endorsed by watch', nextByWatch);
  const start = [thePhone, theLaptop];
  return [
    await history('compromised since the entry of a late endorsement, of a card from before', [
      ...start,
      theWatch,
      watchByPhone,
      await since(3),
    ]),
    await history('compromised since the entry after it', [
      ...start,
      theWatch,
      watchByPhone,
      await since(4),
    ]),
    await history('compromised between two late endorsements, and then earlier', [
      ...start,
      laptopByPhone,
      theWatch,
      watchByPhone,
      await since(4),
      await since(2),
    ]),
    await history('compromised, and a late endorsement from before is logged again', [
      ...start,
      theWatch,
      watchByPhone,
      await since(3),
      watchByPhone,
    ]),
    await history('compromised, when an endorsement comes that was kept back', [
      ...start,
      theWatch,
      await since(3),
      watchByPhone,
    ]),
    await history('compromised, where two cards are left that vouch for each other', [
      ...start,
      watchByPhone,
      ringByWatch,
      watchByRing,
      await since(2),
    ]),
    await history('compromised, after it endorsed a card that had stood alone and vouched', [
      ...start,
      tabletByLaptop,
      laptopByPhone,
      await since(3),
    ]),
    await history('compromised, and a card that it endorsed late vouches for its successor', [
      ...start,
      theWatch,
      watchByPhone,
      theNext,
      nextLate,
      await since(3),
    ]),
    await history('compromised, where somebody else endorsed the same card late', [
      ...start,
      theWatch,
      watchByPhone,
      await late('watch', { laptop }),
      await since(0),
    ]),
  ];
}
