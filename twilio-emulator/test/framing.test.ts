import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrame, encodeFrame } from '../src/framing.ts';

const text = fc.string({ unit: 'binary' });
const header = fc.dictionary(text, fc.jsonValue()).map((value) => {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return plain as Record<string, unknown>;
});

describe('frames', () => {
  test('look as the SDK writes them', () => {
    const bytes = encodeFrame({ method: 'reply', id: 'TM1' }, 'é');
    const head = '{"method":"reply","id":"TM1","payload_size":2}';
    expect(bytes.toString()).toBe(`TWILSOCK V3.0 ${head.length}\r\n${head}\r\né`);
  });

  test('come back as they were', () => {
    fc.assert(
      fc.property(header, text, (head, payload) => {
        const frame = decodeFrame(encodeFrame(head, payload));
        expect(frame?.payload).toBe(payload);
        expect(frame?.header).toEqual({ ...head, payload_size: Buffer.byteLength(payload) });
      }),
    );
  });

  test('are refused when cut short, lengthened or damaged, never with an exception', () => {
    fc.assert(
      fc.property(header, text, fc.nat(), fc.nat(255), (head, payload, place, byte) => {
        const bytes = encodeFrame(head, payload);
        expect(decodeFrame(bytes.subarray(0, place % bytes.length))).toBeNull();
        expect(decodeFrame(Buffer.concat([bytes, Buffer.from([byte])]))).toBeNull();
        bytes[place % bytes.length] = byte;
        decodeFrame(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeFrame(bytes)).toBeNull();
      }),
    );
  });

  test.each([
    ['another version', 'TWILSOCK V2.0 2\r\n{}\r\n'],
    ['a header that is no object', 'TWILSOCK V3.0 2\r\n[]\r\n'],
    ['a header that is no JSON', 'TWILSOCK V3.0 2\r\n{,\r\n'],
    ['a wrong payload size', 'TWILSOCK V3.0 18\r\n{"payload_size":1}\r\n'],
    ['a huge header size', 'TWILSOCK V3.0 99999999999\r\n{}\r\n'],
    ['nothing', ''],
  ])('are refused with %s', (_what, bytes) => {
    expect(decodeFrame(Buffer.from(bytes))).toBeNull();
  });

  test('are refused if they are not UTF-8', () => {
    const bytes = encodeFrame({}, 'xx');
    bytes[bytes.length - 1] = 0xff;
    expect(decodeFrame(bytes)).toBeNull();
  });

  test('keep a byte order mark', () => {
    expect(decodeFrame(encodeFrame({}, '\uFEFFa'))?.payload).toBe('\uFEFFa');
  });
});
