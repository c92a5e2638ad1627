import { useId, type ReactNode } from 'react';

interface PasswordFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Whether it is one that is chosen now. */
  readonly isNew?: boolean;
  readonly isRequired?: boolean;
  readonly hint?: string;
}

/** How short a password may be. */
export const MIN_PASSWORD_LENGTH = 8;

/** Where a password is typed. */
export function PasswordField(props: PasswordFieldProps): ReactNode {
  const { label, value, onChange, isNew = false, isRequired = true, hint } = props;
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        required={isRequired}
        minLength={isNew ? MIN_PASSWORD_LENGTH : 1}
        {...(hint !== undefined && { 'aria-describedby': `${id}-hint` })}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      {hint !== undefined && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
