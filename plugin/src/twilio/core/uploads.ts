/**
 * Uploading apart from posting. The SDKs do both in one call; but a message gets its number just before
 * it is posted, and until then nothing else is posted with a later one. An upload takes minutes, so it
 * must be over by then.
 *
 * The SDK's own code is run twice: once without its post, once with what was uploaded in place of the
 * upload. It is reached through the services that a channel's list of messages has inside; where an SDK
 * has others, files are uploaded while everything else waits.
 */

/** The names by which the SDKs' channels have their list of messages. */
export type MessagesName = 'messagesEntity' | '_messagesEntity';

/** What the SDK made of the files of a message. */
export type Uploaded = readonly unknown[];

type Call = (...args: readonly unknown[]) => unknown;

interface Services {
  readonly all: object;
  readonly messages: object;
  readonly media: object;
}

// The upload is over, and the SDK would post now.
const UPLOADED = new Error('Uploaded.');

/**
 * Has a channel upload what a message brings, without posting it.
 * @param send the SDK's sending of it, to be called on another channel
 * @returns null when this SDK cannot do one without the other: then nothing was done. What `send`
 * throws is thrown
 */
export async function uploadApart<Channel extends object>(
  raw: Channel,
  name: MessagesName,
  send: (raw: Channel) => Promise<unknown>,
): Promise<Uploaded | null> {
  const services = servicesOf(raw, name);
  if (!services) return null;
  const requests: unknown[] = [];
  const upload =
    (method: 'post' | 'postFormData'): Call =>
    (...args) => {
      const request = call(services.media, method, args);
      requests.push(request);
      return request;
    };
  const mcsClient = { post: upload('post'), postFormData: upload('postFormData') };
  const commandExecutor = { mutateResource: () => Promise.reject(UPLOADED) };
  try {
    await send(withServices(raw, name, services, { mcsClient, commandExecutor }));
  } catch (error) {
    if (error === UPLOADED) return Promise.all(requests);
    throw error;
  }
  throw new TypeError('The SDK posted a message that it should only prepare.');
}

/** The channel, which takes these for what it uploads. */
export function withUploaded<Channel extends object>(
  raw: Channel,
  name: MessagesName,
  uploaded: Uploaded,
): Channel {
  const services = servicesOf(raw, name);
  if (!services) return raw;
  const files = [...uploaded];
  const next: Call = () => Promise.resolve(files.shift());
  return withServices(raw, name, services, { mcsClient: { post: next, postFormData: next } });
}

function servicesOf(raw: object, name: MessagesName): Services | null {
  const messages: unknown = Reflect.get(raw, name);
  const all: unknown = isObject(messages) ? Reflect.get(messages, 'services') : null;
  if (!isObject(messages) || !isObject(all)) return null;
  const media: unknown = Reflect.get(all, 'mcsClient');
  const executor: unknown = Reflect.get(all, 'commandExecutor');
  const isKnown =
    has(media, 'post') && has(media, 'postFormData') && has(executor, 'mutateResource');
  return isKnown && isObject(media) ? { all, messages, media } : null;
}

function withServices<Channel extends object>(
  raw: Channel,
  name: MessagesName,
  { all, messages }: Services,
  replaced: Readonly<Record<string, unknown>>,
): Channel {
  const services = inFrontOf(all, replaced);
  return inFrontOf(raw, { [name]: inFrontOf(messages, { services }) });
}

/** An object that is like another one but for these members. */
function inFrontOf<T extends object>(object: T, members: Readonly<Record<string, unknown>>): T {
  const described = Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, { value }]),
  );
  return Object.create(object, described) as T;
}

function call(object: object, name: string, args: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(object, name);
  if (typeof method !== 'function') throw new TypeError(`There is no ${name}.`);
  return Reflect.apply(method, object, args);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function has(value: unknown, method: string): boolean {
  return isObject(value) && typeof Reflect.get(value, method) === 'function';
}
