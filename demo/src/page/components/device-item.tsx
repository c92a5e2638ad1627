import type { ReactNode } from 'react';
import type { OwnDevice } from 'twilio-chat-encryption';
import { isUnknown } from '../models/own-devices.ts';
import { endOf, UNNAMED } from '../texts/devices.ts';
import { momentOf } from './dates.ts';
import { DeviceIcon } from './icons.tsx';

interface DeviceItemProps {
  readonly device: OwnDevice;
  /** What can be done with it. */
  readonly children?: ReactNode;
}

/** One of one's devices. */
export function DeviceItem({ device, children }: DeviceItemProps): ReactNode {
  const { device: name = UNNAMED, since, endedAt, isThis } = device;
  return (
    <li>
      <DeviceIcon />
      <div>
        <strong>
          {/* A name from elsewhere must not turn the text around it. */}
          <bdi>{name}</bdi>
          {isThis && <span className="tag">this device</span>}
        </strong>
        {endedAt ? (
          <span className="muted">
            {endOf(device)} {momentOf(endedAt)}
          </span>
        ) : (
          <span className="muted">In use since {momentOf(since)}</span>
        )}
        {isUnknown(device) && (
          <span className="warn-text">
            Is it yours? Until you say so, it gets nothing that you send from here. If not, remove
            it and change your password.
          </span>
        )}
        {children}
      </div>
    </li>
  );
}
