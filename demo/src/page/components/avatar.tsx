import type { ReactNode } from 'react';

const HUES = 6;

/** A person's initial in a colour of their own. Decoration: the name stands beside it. */
export function Avatar({ name }: { readonly name: string }): ReactNode {
  const characters = Array.from(name);
  const sum = characters.reduce((total, one) => total + (one.codePointAt(0) ?? 0), 0);
  return (
    <span className={`avatar hue-${sum % HUES}`} aria-hidden="true">
      {characters[0]?.toUpperCase()}
    </span>
  );
}
