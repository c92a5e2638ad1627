import { useState, type ReactNode } from 'react';
import { useAction } from './use-action.ts';

/** The 60 digits in groups, to be read out, and copied. */
export function SafetyDigits({ digits }: { readonly digits: string }): ReactNode {
  const { error, run } = useAction(() => 'This browser does not let the page copy. Select them.');
  const [isCopied, setCopied] = useState(false);
  return (
    <div className="safety-number">
      <p className="safety-digits" role="group" aria-label="Safety number">
        {digits.split(' ').map((group, at) => (
          // Groups may be the same, and never move.
          <span key={at}>{group} </span>
        ))}
      </p>
      <button
        type="button"
        className="link"
        onClick={() => {
          run(async () => {
            await navigator.clipboard.writeText(digits);
            setCopied(true);
          });
        }}
      >
        Copy the number
      </button>
      <span className="hint" role="status">
        {error ?? (isCopied && 'Copied.')}
      </span>
    </div>
  );
}
