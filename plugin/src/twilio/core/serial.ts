/**
 * Runs tasks one after the other, in the order they came; a failed one does not stop the next.
 * Messages keep their order through it, although opening each one waits.
 */
export function serial(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
