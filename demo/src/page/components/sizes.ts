const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** How large something is, roughly: `1.2 MB`. */
export function roughSize(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const format = new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit: UNITS[power] ?? 'byte',
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power < 2 ? 0 : 1,
  });
  return format.format(bytes / 1000 ** power);
}

/** How large something is, to the byte. */
export function exactSize(bytes: number): string {
  return `${bytes.toLocaleString()} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
