/** What a test drives the page by. */
import { openChat, type Chat, type Settings } from './chat.ts';

declare global {
  interface Window {
    openChat(settings: Settings): Promise<void>;
    chat: Chat;
  }
}

export function showControls(): void {
  window.openChat = async (settings) => {
    window.chat = await openChat(settings);
  };
}
