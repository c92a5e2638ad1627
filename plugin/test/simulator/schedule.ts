/** What happens in a run: steps as plain data, so that a failing schedule can be printed and run again. */
import fc from 'fast-check';

/** Whether clients hear of what Twilio changes, or come upon it. */
export type Manner = 'pushed' | 'silently';

/** What people do. Numbers are taken modulo what there is, so that every step fits every state. */
export type HonestStep =
  /** `who` each send a message, or two, at the same time. */
  | {
      readonly do: 'say';
      readonly who: readonly number[];
      readonly room: number;
      readonly twice: boolean;
    }
  | {
      readonly do: 'edit';
      readonly who: number;
      readonly room: number;
      readonly which: number;
      readonly part: 'body' | 'attributes';
    }
  | {
      readonly do: 'delete';
      readonly who: number;
      readonly room: number;
      readonly which: number;
    }
  /** Another run of the application, with the key store of before. */
  | { readonly do: 'restart'; readonly who: number }
  | { readonly do: 'reconnect'; readonly who: number }
  /** Somebody who only has a card comes or goes. */
  | { readonly do: 'ghost'; readonly room: number }
  /** The last of the people is removed by the first, or added again. */
  | { readonly do: 'member'; readonly room: number };

/** What Twilio does, and a member who helps. */
export type Attack =
  /** A second one, at the end or in the place of another. */
  | {
      readonly do: 'copy';
      readonly room: number;
      readonly which: number;
      readonly to: number | null;
      readonly as: 'itself' | 'another';
    }
  | {
      readonly do: 'cross-post';
      readonly room: number;
      readonly which: number;
      readonly to: number | null;
    }
  | {
      readonly do: 'relabel';
      readonly room: number;
      readonly which: number;
      readonly part: 'author' | 'dateCreated' | 'dateUpdated' | 'sid';
      readonly manner: Manner;
    }
  | {
      readonly do: 'swap';
      readonly room: number;
      readonly which: number;
      readonly other: number;
      readonly manner: Manner;
    }
  | {
      readonly do: 'bend';
      readonly room: number;
      readonly which: number;
      readonly into: 'flipped' | 'cut' | 'words' | 'version' | 'older' | 'foreign' | 'other';
      readonly at: number;
      readonly manner: Manner;
    }
  | {
      readonly do: 'attributes';
      readonly room: number;
      readonly which: number;
      readonly value: string;
      readonly manner: Manner;
    }
  | {
      readonly do: 'remove';
      readonly room: number;
      readonly which: number;
      readonly manner: Manner;
    }
  /** Words of Twilio's own, under the name of a member. */
  | { readonly do: 'inject'; readonly room: number; readonly who: number }
  /** The second of the people has real keys, and tells Twilio what to post. */
  | {
      readonly do: 'forge';
      readonly room: number;
      readonly which: number;
      readonly how: 'other words' | 'forwarded' | 'foreign session' | 'edit' | 'edit as author';
    }
  /** What is pushed to this person waits, is lost, comes twice, or comes again as it should. */
  | {
      readonly do: 'pushes';
      readonly who: number;
      readonly now: 'held' | 'lost' | 'twice' | 'bent' | 'fine';
      readonly backwards: boolean;
    };

export type Step = (HonestStep | Attack) & {
  /** Who reads the history afterwards; everybody looks at what is shown to them. */
  readonly readers: readonly number[];
  readonly pageSize: number;
};

const many = fc.nat(99);
const person = fc.nat(2);
const room = fc.nat(1);
const manner = fc.constantFrom<Manner>('pushed', 'silently');
const anywhere = fc.option(many, { freq: 2 });
const place = { room, which: many };

const kind = <Name extends string>(name: Name): fc.Arbitrary<Name> => fc.constant(name);

function honest(): fc.WeightedArbitrary<HonestStep>[] {
  const some = fc.subarray([0, 1, 2], { minLength: 1 });
  return [
    { weight: 8, arbitrary: fc.record({ do: kind('say'), who: some, room, twice: fc.boolean() }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: kind('edit'),
        who: person,
        ...place,
        part: fc.constantFrom('body', 'attributes'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: kind('delete'), who: person, ...place }) },
    { weight: 2, arbitrary: fc.record({ do: kind('restart'), who: person }) },
    { weight: 1, arbitrary: fc.record({ do: kind('reconnect'), who: person }) },
    { weight: 1, arbitrary: fc.record({ do: kind('ghost'), room }) },
    { weight: 1, arbitrary: fc.record({ do: kind('member'), room }) },
  ];
}

function attacks(): fc.WeightedArbitrary<Attack>[] {
  const values = ['{"forged":true}', '{"e2e":"key"}', '{}', '[]', '"forged"'];
  return [
    {
      weight: 3,
      arbitrary: fc.record({
        do: kind('copy'),
        ...place,
        to: anywhere,
        as: fc.constantFrom('itself', 'another'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: kind('cross-post'), ...place, to: anywhere }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: kind('relabel'),
        ...place,
        part: fc.constantFrom('author', 'dateCreated', 'dateUpdated', 'sid'),
        manner,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: kind('swap'), ...place, other: many, manner }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: kind('bend'),
        ...place,
        into: fc.constantFrom('flipped', 'cut', 'words', 'version', 'older', 'foreign', 'other'),
        at: fc.nat(9999),
        manner,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: kind('attributes'),
        ...place,
        value: fc.constantFrom(...values),
        manner,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: kind('remove'), ...place, manner }) },
    { weight: 1, arbitrary: fc.record({ do: kind('inject'), room, who: person }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: kind('forge'),
        ...place,
        how: fc.constantFrom(
          'other words',
          'forwarded',
          'foreign session',
          'edit',
          'edit as author',
        ),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: kind('pushes'),
        who: person,
        now: fc.constantFrom('held', 'lost', 'twice', 'bent', 'fine', 'fine'),
        backwards: fc.boolean(),
      }),
    },
  ];
}

function steps(
  length: number,
  kinds: fc.WeightedArbitrary<HonestStep | Attack>[],
): fc.Arbitrary<Step[]> {
  const step = fc
    .tuple(
      fc.oneof(...kinds),
      fc.record({
        readers: fc.oneof(fc.constant([0, 1, 2]), fc.subarray([0, 1, 2])),
        pageSize: fc.constantFrom(100, 100, 7),
      }),
    )
    .map(([what, reading]) => ({ ...what, ...reading }));
  return fc.array(step, { minLength: length, maxLength: length });
}

/** Nobody tampers with anything. */
export const honestSchedule = (length: number): fc.Arbitrary<Step[]> => steps(length, honest());

/** People go on talking while Twilio does what it can. */
export const attackedSchedule = (length: number): fc.Arbitrary<Step[]> =>
  steps(length, [...honest(), ...attacks()]);

/** Every attack at least once, on carriers and on followers, while everybody looks. */
export function everyAttack(): Step[] {
  // One after the other, so that each attack always hits the same.
  const say = (room: number): HonestStep[] =>
    [0, 1, 2].map((who) => ({ do: 'say', who: [who], room, twice: true }));
  const intos = ['flipped', 'cut', 'words', 'version', 'older', 'foreign', 'other'] as const;
  const forgeries = [
    'other words',
    'forwarded',
    'foreign session',
    'edit',
    'edit as author',
  ] as const;
  const inRoom = (room: number): (HonestStep | Attack)[] => [
    ...say(room),
    { do: 'edit', who: 0, room, which: 0, part: 'body' },
    { do: 'edit', who: 0, room, which: 0, part: 'attributes' },
    ...forgeries.map((how, at): Attack => ({ do: 'forge', room, which: 3 * at + 1, how })),
    ...say(room),
    { do: 'copy', room, which: 2, to: null, as: 'another' },
    { do: 'copy', room, which: 3, to: null, as: 'itself' },
    { do: 'cross-post', room, which: 3, to: null },
    { do: 'relabel', room, which: 3, part: 'author', manner: 'pushed' },
    { do: 'relabel', room, which: 5, part: 'dateCreated', manner: 'pushed' },
    { do: 'pushes', who: 1, now: 'held', backwards: false },
    ...say(room),
    { do: 'pushes', who: 1, now: 'fine', backwards: true },
    ...intos.map((into, at): Attack => ({
      do: 'bend',
      room,
      which: at + 9,
      into,
      at: 300,
      manner: 'pushed',
    })),
    { do: 'bend', room, which: 2, into: 'older', at: 0, manner: 'pushed' },
    ...[1, 4, 5].map((which): Attack => ({
      do: 'bend',
      room,
      which,
      into: 'flipped',
      at: 300,
      manner: 'pushed',
    })),
    { do: 'member', room },
    { do: 'say', who: [0, 1], room, twice: false },
    { do: 'member', room },
    { do: 'say', who: [0, 2], room, twice: false },
    { do: 'swap', room, which: 4, other: 5, manner: 'pushed' },
    { do: 'attributes', room, which: 6, value: '{"forged":true}', manner: 'pushed' },
    { do: 'inject', room, who: 2 },
    { do: 'remove', room, which: 7, manner: 'pushed' },
    { do: 'restart', who: 2 },
  ];
  const steps = [...inRoom(0), ...inRoom(1)];
  // All at the same time would take longer and see no more.
  return steps.map((step, at) => ({ ...step, readers: [at % 3], pageSize: 100 }));
}
