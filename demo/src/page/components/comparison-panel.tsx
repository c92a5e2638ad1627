import { useRef, useState, type ReactNode } from 'react';
import type { SafetyNumber } from 'twilio-chat-encryption';
import type { Comparison } from '../models/comparison.ts';
import { useStore } from '../models/use-store.ts';
import { codeInFile } from '../session/code-reader.ts';
import { explainComparison } from '../texts/comparison.ts';
import { CodeScanner } from './code-scanner.tsx';
import { ComparisonResult } from './comparison-result.tsx';
import { Notice } from './notice.tsx';
import { PictureButton } from './picture-button.tsx';
import { QrCode } from './qr-code.tsx';
import { SafetyDigits } from './safety-digits.tsx';
import { SidePanel } from './side-panel.tsx';
import { Spinner } from './spinner.tsx';
import { useAction } from './use-action.ts';

interface ComparisonPanelProps {
  readonly comparison: Comparison;
  readonly onClose: () => void;
}

/** Comparing safety numbers with somebody: digits to read out, and a code to scan. */
export function ComparisonPanel({ comparison, onClose }: ComparisonPanelProps): ReactNode {
  const { identity, load } = comparison;
  const { number, failure } = useStore(comparison);
  return (
    <SidePanel title="Compare safety numbers" onClose={onClose}>
      <p>
        Meet {identity}, or call them. If both of you see the same number, nobody stands between
        you: not the server, and not Twilio.
      </p>
      {number && <Comparing comparison={comparison} number={number} />}
      {!number && failure === null && <Spinner label="Computing the number…" />}
      {failure !== null && (
        <Notice kind="error">
          <p>{explainComparison(failure, identity)}</p>
          <button type="button" className="secondary" onClick={() => void load()}>
            Try again
          </button>
        </Notice>
      )}
    </SidePanel>
  );
}

interface ComparingProps {
  readonly comparison: Comparison;
  readonly number: SafetyNumber;
}

function Comparing({ comparison, number }: ComparingProps): ReactNode {
  const { identity } = comparison;
  const { busy, error, run } = useAction((thrown) => explainComparison(thrown, identity));
  const [isScanning, setScanning] = useState(false);
  const scanButton = useRef<HTMLButtonElement>(null);
  const outcome = useRef<HTMLDivElement>(null);

  function stopScanning(): void {
    setScanning(false);
    // When it is there again.
    requestAnimationFrame(() => scanButton.current?.focus());
  }

  function compare(read: () => Promise<string>): void {
    run(async () => {
      await comparison.scanned(await read());
      requestAnimationFrame(() => outcome.current?.scrollIntoView({ block: 'nearest' }));
    });
  }

  return (
    <>
      <SafetyDigits digits={number.digits} />
      {isScanning ? (
        <CodeScanner
          identity={identity}
          onCode={(code) => {
            stopScanning();
            compare(() => Promise.resolve(code));
          }}
          onStop={stopScanning}
        />
      ) : (
        <>
          <QrCode text={number.qr} label={`The same as a code, for ${identity} to scan`} />
          <p className="hint">
            Covers {devices(number.devices.own)} of yours and {devices(number.devices.theirs)} of{' '}
            {identity}.
          </p>
          <div className="button-row">
            <button
              ref={scanButton}
              type="button"
              className="secondary"
              disabled={busy}
              onClick={() => {
                setScanning(true);
              }}
            >
              Scan their code
            </button>
            <PictureButton
              disabled={busy}
              onPicture={(picture) => {
                compare(() => codeInFile(picture));
              }}
            />
          </div>
          <p className="hint">
            The picture has to be of their screen. One that came through this chat proves nothing.
          </p>
        </>
      )}
      <div ref={outcome} className="stack">
        {/* Always there: a live region that appears with its text is not read out. */}
        <div role="status">
          <ComparisonResult comparison={comparison} />
        </div>
        <MarkButton comparison={comparison} busy={busy} run={run} />
        {error !== null && <Notice kind="error">{error}</Notice>}
      </div>
    </>
  );
}

interface MarkButtonProps {
  readonly comparison: Comparison;
  readonly busy: boolean;
  readonly run: (work: () => Promise<void>) => void;
}

/** Marks their devices. Not there when they are marked, or the code says that something is wrong. */
function MarkButton({ comparison, busy, run }: MarkButtonProps): ReactNode {
  const { result, isMarked } = useStore(comparison);
  if (isMarked || (result !== null && result !== 'match')) return null;
  return (
    <button
      type="button"
      className={result === 'match' ? 'primary' : 'secondary'}
      disabled={busy}
      onClick={() => {
        run(comparison.mark);
      }}
    >
      {result === 'match' ? 'Mark as compared' : 'Both numbers are the same: mark as compared'}
    </button>
  );
}

function devices(count: number): string {
  return count === 1 ? 'one device' : `${count} devices`;
}
