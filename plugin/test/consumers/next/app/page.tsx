'use client';
/** The page. Next.js runs this module on the server too, where there is no window. */
import { useEffect } from 'react';
import { showControls } from '../../app/controls.ts';

export default function Page() {
  useEffect(() => {
    showControls();
  }, []);
  return <p>Chat</p>;
}
