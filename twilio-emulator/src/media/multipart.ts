/** A file in a form. */
export interface FormFile {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly filename: string;
}

const LONGEST_HEAD = 8 * 1024;

/**
 * The first file of a `multipart/form-data` body, as browsers write it (RFC 7578), or null if it
 * holds none. The bytes are a view of the body, not a copy.
 */
export function firstFile(body: Buffer, contentType: string): FormFile | null {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s"]+))/i.exec(contentType);
  if (boundary === null) return null;
  const delimiter = `--${boundary[1] ?? boundary[2] ?? ''}`;

  for (let start = body.indexOf(delimiter, 0, 'latin1'); start !== -1;) {
    const headStart = start + delimiter.length;
    const headEnd = body.indexOf('\r\n\r\n', headStart);
    if (headEnd === -1 || headEnd - headStart > LONGEST_HEAD) return null;
    const bodyStart = headEnd + 4;
    const bodyEnd = body.indexOf(`\r\n${delimiter}`, bodyStart, 'latin1');
    if (bodyEnd === -1) return null;
    const head = readHead(body.toString('utf8', headStart, headEnd));
    if (head !== null) return { ...head, bytes: body.subarray(bodyStart, bodyEnd) };
    start = bodyEnd + 2;
  }
  return null;
}

/** What the head of a part says about a file; null if the part is something else. */
function readHead(head: string): Omit<FormFile, 'bytes'> | null {
  const filename = /^content-disposition:[^\r\n]*;\s*filename="([^"\r\n]*)"/im.exec(head)?.[1];
  if (filename === undefined) return null;
  const contentType = /^content-type:\s*([^\r\n]+)/im.exec(head)?.[1];
  return {
    contentType: contentType ?? 'application/octet-stream',
    // The three characters that browsers escape, https://html.spec.whatwg.org/#multipart-form-data.
    filename: filename.replaceAll(/%22|%0D|%0A/gi, decodeURIComponent),
  };
}
