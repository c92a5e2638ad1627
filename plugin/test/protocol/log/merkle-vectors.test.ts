/** The vectors of the transparency-dev project for trees of RFC 6962, from the folder of VECTORS_DIR. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { verifyConsistency, verifyInclusion } from 'twilio-chat-encryption/protocol';

const FOLDER = inject('vectorsFolder');

interface Vector {
  readonly desc: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

interface Inclusion extends Vector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
}

interface Consistency extends Vector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

/** Every vector below a folder, whose README promises the type. */
function vectors<Kind extends keyof Vectors>(
  kind: Kind,
): readonly (readonly [string, Vectors[Kind]])[] {
  const folder = join(FOLDER ?? '', 'merkle', kind);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vectors[Kind]]);
}

// One vector compares two equal texts that are no hashes, and expects them to be equal. Here a root
// that has not 32 bytes is refused before anything is compared.
const NO_HASHES = 'additional/sizes-are-equal-one-and-proof-is-empty.json';

interface Vectors {
  readonly inclusion: Inclusion;
  readonly consistency: Consistency;
}

const bytes = (text: string | null): Uint8Array => Buffer.from(text ?? '', 'base64');

describe.skipIf(FOLDER === null)('public vectors of Merkle trees', () => {
  test('of inclusion', () => {
    const all = vectors('inclusion');
    expect(all.length).toBeGreaterThan(90);
    for (const [name, { leafHash, leafIdx, treeSize, proof, root, wantErr }] of all) {
      const hashes = (proof ?? []).map(bytes);
      const isProven = verifyInclusion(bytes(leafHash), leafIdx, treeSize, hashes, bytes(root));
      expect(isProven, name).toBe(!wantErr);
    }
  });

  test('of consistency', () => {
    const all = vectors('consistency');
    expect(all.length).toBeGreaterThan(90);
    for (const [name, { size1, size2, root1, root2, proof, wantErr }] of all) {
      const from = { size: size1, root: bytes(root1) };
      const to = { size: size2, root: bytes(root2) };
      const isProven = verifyConsistency(from, to, (proof ?? []).map(bytes));
      expect(isProven, name).toBe(!wantErr && name !== NO_HASHES);
    }
  });
});
