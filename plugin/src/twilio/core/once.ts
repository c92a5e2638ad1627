/** `make`, called once for each object: an SDK object has one facade for its life. */
export function once<Raw extends object, Made extends object>(
  make: (raw: Raw) => Made,
): (raw: Raw) => Made {
  const made = new WeakMap<Raw, Made>();
  return (raw) => {
    const known = made.get(raw) ?? make(raw);
    made.set(raw, known);
    return known;
  };
}
