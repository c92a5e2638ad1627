/** What the build pins into the page. Nothing of it is ever asked from a server. */
export interface PageSettings {
  /** The application's public key: cards that it did not approve are not accepted. */
  readonly appKey: string;
  /** The public key of the token server's log, likewise. */
  readonly logKey: string;
  /** The deployment's name in the salts of logins. */
  readonly origin: string;
  /** Whether Twilio is the emulator behind this page. */
  readonly emulated: boolean;
}

declare const __PAGE_SETTINGS__: PageSettings;

/** The settings of this page. */
export const SETTINGS: PageSettings = __PAGE_SETTINGS__;
