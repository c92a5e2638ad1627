/** What both sample applications can be asked, and show. */

/** What the application shows. */
export interface Screen {
  /** The conversations with their unread badges. */
  list(): Promise<readonly string[]>;
  open(sid: string): Promise<void>;
  /** The messages of the open conversation, oldest first. */
  readonly messages: readonly string[];
  /** Whether there is anything older. */
  readonly hasOlder: boolean;
  older(): Promise<void>;
  readonly typing: readonly string[];
  type(): Promise<void>;
  say(text: string): Promise<void>;
  attach(name: string, bytes: Uint8Array): Promise<void>;
  /** Replaces the text of the newest own message. */
  correct(text: string): Promise<void>;
  /** Puts a reaction on the newest message of this application's user. */
  react(reaction: string): Promise<void>;
  take(): Promise<void>;
  markRead(): Promise<void>;
}
