import { isRecord, parseJson, type JsonRecord } from './json.ts';

/**
 * One frame of Twilio's websocket protocol:
 *
 *     TWILSOCK V3.0 <bytes of header>\r\n
 *     <header: a JSON object>\r\n
 *     <payload: header.payload_size bytes>
 */
export interface Frame {
  readonly header: JsonRecord;
  readonly payload: string;
}

const START = /^TWILSOCK V3\.0 (\d{1,7})$/;
const LONGEST_START = 32;
const CRLF = Buffer.from('\r\n');

/** Frames are UTF-8; a byte order mark is a character of the payload like any other. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a frame; its `payload_size` is filled in. */
export function encodeFrame(header: JsonRecord, payload = ''): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.from(JSON.stringify({ ...header, payload_size: body.length }));
  const start = Buffer.from(`TWILSOCK V3.0 ${head.length}`);
  return Buffer.concat([start, CRLF, head, CRLF, body]);
}

/** The frame in one websocket message, or null if there is anything else in it. */
export function decodeFrame(bytes: Uint8Array): Frame | null {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const startEnd = data.subarray(0, LONGEST_START).indexOf(CRLF);
  const size = START.exec(data.toString('latin1', 0, Math.max(startEnd, 0)))?.[1];
  if (size === undefined) return null;

  const headStart = startEnd + CRLF.length;
  const headEnd = headStart + Number(size);
  const bodyStart = headEnd + CRLF.length;
  if (!data.subarray(headEnd, bodyStart).equals(CRLF)) return null;

  const header = parseJson(decode(data.subarray(headStart, headEnd)) ?? '');
  const payload = decode(data.subarray(bodyStart));
  if (!isRecord(header) || payload === null) return null;
  return (header['payload_size'] ?? 0) === data.length - bodyStart ? { header, payload } : null;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
