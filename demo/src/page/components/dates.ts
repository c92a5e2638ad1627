const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
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

/** Day and time, with the year. */
export function momentOf(date: Date): string {
  return MOMENT.format(date);
}

/** Day and time to the second. */
export function exactTime(date: Date): string {
  return EXACT.format(date);
}

/** The day of here and now, as a field for dates has it. */
export function dayForInput(date: Date): string {
  const number = (value: number, digits: number): string => String(value).padStart(digits, '0');
  return [
    number(date.getFullYear(), 4),
    number(date.getMonth() + 1, 2),
    number(date.getDate(), 2),
  ].join('-');
}
