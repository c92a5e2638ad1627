import type { ReactNode } from 'react';

function icon(paths: ReactNode): () => ReactNode {
  return function Icon() {
    return (
      <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
        {paths}
      </svg>
    );
  };
}

export const LockIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
    <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
  </>,
);
export const AlertIcon = icon(
  <>
    <path d="M12 3.5 19 6v5.5c0 4.3-2.9 7.3-7 9-4.1-1.7-7-4.7-7-9V6z" />
    <path d="M12 8.5v4M12 15.8v.1" />
  </>,
);
export const ComparedIcon = icon(
  <>
    <path d="M12 3.5 19 6v5.5c0 4.3-2.9 7.3-7 9-4.1-1.7-7-4.7-7-9V6z" />
    <path d="m8.8 12 2.3 2.3 4.2-4.6" />
  </>,
);
export const HiddenIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
    <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5M9.5 15.3h5" />
  </>,
);
export const ClockIcon = icon(
  <>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.5V12l3 2" />
  </>,
);
export const BackIcon = icon(<path d="M14.5 5.5 8 12l6.5 6.5" />);
export const CloseIcon = icon(<path d="m6.5 6.5 11 11M17.5 6.5l-11 11" />);
export const PeopleIcon = icon(
  <>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M3 19.5c.4-3.4 2.7-5 6-5s5.6 1.6 6 5M15.5 5.300a3.5 3.5 0 0 1 0 6.400M17.5 15c2 .6 3.2 2 3.5 4.5" />
  </>,
);
export const DeviceIcon = icon(
  <>
    <path d="M5 6.500h14a1 1 0 0 1 1 1V15H4V7.500a1 1 0 0 1 1-1z" />
    <path d="M2.500 18h19" />
  </>,
);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const SendIcon = icon(<path d="M4.5 12 20 4.5 15 20l-3.2-6.700zM11.8 13.3 20 4.5" />);
export const AttachIcon = icon(
  <path d="m19 11.500-7.200 7.200a4.600 4.600 0 0 1-6.500-6.500l7.500-7.500a3 3 0 0 1 4.300 4.300l-7.500 7.500a1.500 1.500 0 0 1-2.100-2.100l6.900-6.900" />,
);
export const FileIcon = icon(
  <path d="M13.500 3.500H8a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h8a2 2 0 0 0 2-2V8zM13.500 3.500V8H18" />,
);
export const LeaveIcon = icon(
  <path d="M10 4.500H6.500a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2H10M15 8l4 4-4 4M19 12H9.5" />,
);
export const ChatIcon = icon(
  <path d="M5 5h14a1.5 1.5 0 0 1 1.5 1.500v9A1.5 1.5 0 0 1 19 17h-7l-4.5 3.500V17H5a1.5 1.5 0 0 1-1.5-1.500v-9A1.5 1.5 0 0 1 5 5z" />,
);
