/** What is compared: libraries, each doing its closest equivalent of one chat message. */

/** The text of every message. */
export const BODY = 'x'.repeat(200);

/** Opens the message that it was given for, as its reader, and checks who wrote it and what. */
export type Opening = () => unknown;

/** People who know each other's keys. The last one reads. */
export interface Chat {
  /** A message of a person, by number, to all of them. */
  seal(sender: number): Opening | Promise<Opening>;
  /** The reader forgets what he keeps between messages; absent when there is nothing. */
  readonly forget?: () => void;
}

/** A library, used one way. */
export interface Peer {
  readonly name: string;
  /** In what its message is less, or more, than this library's. */
  readonly differs: string;
  /** It refuses a message that was opened before. */
  readonly opensOnce?: boolean;
  /** The most people that are measured: more would take minutes to make. */
  readonly most?: number;
  readonly chat: (people: number) => Promise<Chat>;
}

/** Throws unless this is {@link BODY}: a peer that does not do its work is not measured. */
export function checkBody(body: string | undefined): void {
  if (body !== BODY) throw new Error('A message was not opened as it was sealed.');
}

/** That many people, made one after the other. */
export async function make<Person>(
  people: number,
  one: (index: number) => Person | Promise<Person>,
): Promise<Person[]> {
  const made: Person[] = [];
  for (let index = 0; index < people; index += 1) made.push(await one(index));
  return made;
}

/** One of them, who must be there. */
export function at<Person>(people: readonly Person[], index: number): Person {
  const person = people.at(index);
  if (person === undefined) throw new RangeError('There is nobody of that number.');
  return person;
}

/** `length` random bytes. */
export function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
