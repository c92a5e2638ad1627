import { EncryptionError } from './errors.ts';

/**
 * A part of this library that not everybody needs, loaded when it is.
 * @throws EncryptionError `CODE_UNAVAILABLE`; a browser may give the same answer until the page is reloaded
 */
export async function loaded<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch (cause) {
    throw new EncryptionError(
      'CODE_UNAVAILABLE',
      'A part of the encryption could not be loaded. Try again, or reload the page.',
      { cause },
    );
  }
}

/** Makes something with a part that is loaded when it is asked for first; errors as {@link loaded}. */
export function onDemand<Part, Made>(
  load: () => Promise<Part>,
  make: (part: Part) => Made,
): () => Promise<Made> {
  let making: Promise<Made> | undefined;
  return () =>
    (making ??= loaded(load)
      .then(make)
      .catch((error: unknown) => {
        making = undefined;
        throw error;
      }));
}
