import type { MediaProgress } from '../../protocol/media.ts';
import type { MessageEncryption } from '../../client/message-encryption.ts';

/* eslint-disable @typescript-eslint/ban-ts-comment -- here the SDK is there, and elsewhere it may not be */
// As in wrap.ts: an application may not have this SDK.
/** @ts-ignore */
declare module 'twilio-chat' {
  interface Media {
    /**
     * The decrypted file as it is loaded, in pieces of at most 64 KiB; only of a wrapped client or
     * channel. What came out before the end proves nothing yet: wait for it.
     * @throws EncryptionError `FILE_UNREACHABLE`, `CLOSED`; the stream throws `DECRYPTION_FAILED`,
     * `MALFORMED`, and the reason of the signal
     */
    getContentStream(progress?: MediaProgress): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  }
  interface Message {
    /** What is known of the message; only on messages of a wrapped client or channel. */
    readonly encryption: MessageEncryption;
  }
}
