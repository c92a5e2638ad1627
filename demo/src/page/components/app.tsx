import { useState, type ReactNode } from 'react';
import { chatOf, type Chat } from '../models/chat.ts';
import { ChatScreen } from './chat-screen.tsx';
import { SignInScreen } from './sign-in-screen.tsx';

/** The page: signed out, or a chat. */
export function App(): ReactNode {
  const [chat, setChat] = useState<Chat | null>(null);
  if (!chat) {
    return (
      <SignInScreen
        onSession={(session) => {
          setChat(chatOf(session));
        }}
      />
    );
  }
  return (
    <ChatScreen
      chat={chat}
      onSignOut={() => {
        setChat(null);
        // The keys are gone at once; how Twilio takes the goodbye does not matter any more.
        chat.session.end().catch(() => undefined);
      }}
    />
  );
}
