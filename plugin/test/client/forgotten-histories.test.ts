/** More histories than a device keeps in memory: nobody becomes unknown by it. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import {
  parseCardId,
  parseIdentity,
  type Card,
  type CardId,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { cardBook } from '../../src/client/card-book.ts';
import type { ProvenHistory } from '../../src/client/card-log.ts';
import { pins } from '../../src/client/pins.ts';
import { chooseRecipients } from '../../src/client/recipients.ts';
import { person } from '../protocol/people.ts';
import { answerOf, historyOf, pinsContext } from './histories.ts';

const alice = await person('alice');
const { card: sample } = await person('somebody');

let count = 0;
const nextId = (): CardId => parseCardId((count += 1).toString(16).padStart(64, '0'));

/** Cards that replaced one another, all but the last of them superseded. */
function chain(identity: Identity, length: number): ProvenHistory {
  const ids = Array.from({ length }, nextId);
  const history = historyOf(ids.map((id) => ({ ...sample, identity, id })));
  return {
    ...history,
    cards: history.cards.map((one, at) => ({
      ...one,
      status: at < length - 1 ? 'superseded' : 'live',
      vouchers: ids.slice(Math.max(0, at - 1), at),
    })),
  };
}

function chains(names: readonly string[], length: number): ReadonlyMap<Identity, ProvenHistory> {
  const identities = names.map(parseIdentity);
  return new Map(identities.map((identity) => [identity, chain(identity, length)]));
}

const numbered = (name: string, length: number): readonly string[] =>
  Array.from({ length }, (_, at) => `${name} ${at}`);

/** Alice's device, in a log that says this of the others, and whom it is told of. */
function deviceIn(histories: ReadonlyMap<Identity, ProvenHistory>) {
  const changed: Identity[] = [];
  const ofOne = (one: Identity): ProvenHistory =>
    histories.get(one) ?? historyOf(one === alice.card.identity ? [alice.card] : []);
  const lookUp = (asked: readonly Identity[]) => Promise.resolve(answerOf(asked, ofOne));
  const cards = cardBook({ lookUp, get: () => Promise.resolve(null) }, [], Date.now);
  const trust = pins(
    pinsContext(new MemoryKeyStore(), {
      historyOf: (identity) => cards.historyOf(identity),
      onChanged: (identity) => changed.push(identity),
    }),
  );
  return {
    changed,
    /** Pins the first card of each: those that came later it never saw. */
    async meet(): Promise<void> {
      for (const [identity, { cards: all }] of histories) {
        const [first]: readonly { readonly card: Card }[] = all;
        if (first) await trust.pin(identity, [first.card.id]);
      }
    },
    writeTo: (identities: readonly Identity[]) =>
      chooseRecipients(identities, alice.card, 1, { cards, pins: trust }, () => true),
  };
}

test('1700 members who got new keys twice get the message, and nobody is asked about them', async () => {
  const members = chains(numbered('member', 1700), 3);
  const device = deviceIn(members);
  await device.meet();
  await device.writeTo([...members.keys()]);
  expect(device.changed).toEqual([]);
});

test('three strangers with long histories do not make friends who got new keys unknown', async () => {
  const friends = chains(numbered('friend', 20), 2);
  const strangers = chains(['mallory', 'trudy', 'eve'], 4000);
  const newcomer = chains(['frank'], 1);
  const device = deviceIn(new Map([...friends, ...strangers, ...newcomer]));
  await device.meet();
  await device.writeTo([...friends.keys(), ...strangers.keys()]);
  // Who is asked about now takes the place of those who were asked about first.
  await device.writeTo([...friends.keys(), ...newcomer.keys()]);
  expect(device.changed).toEqual([]);
});
