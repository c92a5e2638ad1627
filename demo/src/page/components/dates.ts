const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const EXACT = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** The time of day. */
export function timeOf(date: Date): string {
  return TIME.format(date);
}

/** The day, for a heading; empty without a date. */
export function dayOf(date: Date | undefined): string {
  return date ? DAY.format(date) : '';
}

/** Day and time to the second. */
export function exactTime(date: Date): string {
  return EXACT.format(date);
}
