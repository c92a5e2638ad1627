/** The next event of this name that `accept` takes. */
export function next<Event>(
  emitter: {
    on(name: string, listener: (event: Event) => void): unknown;
    off(name: string, listener: (event: Event) => void): unknown;
  },
  name: string,
  accept: (event: Event) => boolean = () => true,
): Promise<Event> {
  return new Promise((resolve) => {
    const listener = (event: Event): void => {
      if (!accept(event)) return;
      emitter.off(name, listener);
      resolve(event);
    };
    emitter.on(name, listener);
  });
}
