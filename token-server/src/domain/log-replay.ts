import {
  decodeEntry,
  EMPTY_MAP,
  treeRoot,
  type Bytes,
  type MapNode,
  type ReadTree,
  type TreeNode,
} from 'twilio-chat-encryption/protocol';
import { takeStep, type LogStep } from './log-step.ts';

/**
 * Computes a log again from its entries alone. It keeps what the next entry needs, the newest map and
 * the right edge of the tree: some 540 bytes for each identity, and nothing for each entry.
 */
export class LogReplay {
  readonly #map = new LiveMap();
  readonly #edge = new Map<string, Bytes>();
  #mapRoot = EMPTY_MAP;
  #size = 0;

  /** How many entries were taken. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes the next entry, and says what it changes.
   *
   * @throws RangeError when it is no entry
   */
  async take(entry: Bytes): Promise<LogStep> {
    const owner = decodeEntry(entry)?.identityHash ?? new Uint8Array();
    const step = await takeStep(
      {
        size: this.#size,
        mapRoot: this.#mapRoot,
        readTree: this.#readEdge,
        readMap: (hashes) => Promise.resolve(hashes.map((hash) => this.#map.read(hash))),
      },
      entry,
    );
    this.#map.replace(owner, step.map);
    this.#moveEdge(step.tree);
    this.#mapRoot = step.mapRoot;
    this.#size += 1;
    return step;
  }

  /** The root of the tree over all entries so far. */
  root(): Promise<Bytes> {
    return treeRoot(this.#readEdge, this.#size);
  }

  readonly #readEdge: ReadTree = (nodes) =>
    Promise.resolve(nodes.map((node) => required(this.#edge.get(nameOf(node)))));

  /** Of the subtrees that a leaf completes, the greatest has all others in it. */
  #moveEdge(completed: LogStep['tree']): void {
    for (const { level, index } of completed.slice(0, -1)) {
      this.#edge.delete(nameOf({ level, index: index - 1 }));
    }
    const greatest = completed.at(-1);
    if (greatest) this.#edge.set(nameOf(greatest), greatest.hash);
  }
}

/** The nodes of one map, by their hashes. In text of one byte a character, which is a third of objects. */
class LiveMap {
  readonly #nodes = new Map<string, string>();
  /** What was read since the last change: the way to the leaf that changes. */
  readonly #way = new Map<string, MapNode>();

  read(hash: Bytes): MapNode {
    const name = packed(hash);
    const node = unpackNode(required(this.#nodes.get(name)));
    this.#way.set(name, node);
    return node;
  }

  /** Puts the new way in the place of the old one, whose end may be the leaf of another identity. */
  replace(owner: Bytes, added: LogStep['map']): void {
    const own = packed(owner);
    for (const [name, node] of this.#way) {
      const isAnothers = 'history' in node && packed(node.identityHash) !== own;
      if (!isAnothers) this.#nodes.delete(name);
    }
    this.#way.clear();
    for (const { hash, node } of added) this.#nodes.set(packed(hash), packNode(node));
  }
}

function nameOf({ level, index }: TreeNode): string {
  return `${level}/${index}`;
}

function packed(...parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('latin1');
}

function packNode(node: MapNode): string {
  if (!('history' in node)) return packed(node.left, node.right);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(node.count);
  return packed(node.identityHash, node.history, count);
}

function unpackNode(text: string): MapNode {
  const bytes = Buffer.from(text, 'latin1');
  const [first, second] = [
    Uint8Array.from(bytes.subarray(0, 32)),
    Uint8Array.from(bytes.subarray(32, 64)),
  ];
  if (bytes.length === 64) return { left: first, right: second };
  return { identityHash: first, history: second, count: bytes.readUInt32BE(64) };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('A node that was computed is gone.');
  return value;
}
