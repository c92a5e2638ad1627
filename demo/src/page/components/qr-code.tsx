import encodeQR from 'qr';
import { useMemo, type ReactNode } from 'react';

interface QrCodeProps {
  readonly text: string;
  /** What the code is, for those who do not see it. */
  readonly label: string;
}

// ISO/IEC 18004 §5.3.8: four modules of light around it, or readers do not find it.
const BORDER = 4;

/** A QR code. Dark on light in all colour schemes: not every reader knows inverted ones. */
export function QrCode({ text, label }: QrCodeProps): ReactNode {
  const rows = useMemo(() => encodeQR(text, 'raw', { ecc: 'medium', border: BORDER }), [text]);
  const size = rows.length;
  return (
    <div className="qr-code">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
        <path className="light" d={`M0 0h${size}v${size}H0z`} />
        <path d={rows.map(rowPath).join('')} />
      </svg>
    </div>
  );
}

function rowPath(row: readonly boolean[], y: number): string {
  return row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join('');
}
