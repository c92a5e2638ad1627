/** A log in memory, as a server keeps it: each part can be replaced by an attacker's. */
import {
  appendLeaf,
  base64url,
  consistencyProof,
  detailOf,
  EMPTY_HISTORY,
  EMPTY_MAP,
  encodeEntry,
  encodeLeaf,
  extendHistory,
  findInMap,
  identityHash,
  inclusionProof,
  putIntoMap,
  signHead,
  treeRoot,
  type Bytes,
  type CardId,
  type EntryWithContent,
  type Identity,
  type LogEntry,
  type LogHead,
  type Lookup,
  type MapNode,
  type ReadMap,
  type ReadTree,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';

/** What is to be logged. */
export interface NewEntry {
  readonly operation: LogEntry['operation'];
  readonly time: number;
  readonly identity: Identity;
  readonly cardId: CardId;
  readonly content: string;
}

/** A log that a test keeps. */
export class KeptLog {
  readonly key: SigningKey;
  readonly leaves: Bytes[] = [];
  readonly entries: (EntryWithContent & { readonly identity: Identity })[] = [];
  readonly #tree = new Map<string, Bytes>();
  readonly #map = new Map<string, MapNode>();

  constructor(key: SigningKey) {
    this.key = key;
  }

  get size(): number {
    return this.leaves.length;
  }

  readonly readTree: ReadTree = (nodes) =>
    Promise.resolve(nodes.map(({ level, index }) => known(this.#tree.get(`${level}/${index}`))));

  readonly readMap: ReadMap = (hashes) =>
    Promise.resolve(hashes.map((hash) => known(this.#map.get(base64url.encode(hash)))));

  /** The root of the map when the log had `size` entries. */
  mapRoot(size: number = this.size): Bytes {
    return this.leaves[size - 1]?.slice(-32) ?? EMPTY_MAP;
  }

  /** Adds an entry, and gives its number. */
  async append({ operation, time, identity, cardId, content }: NewEntry): Promise<number> {
    const hash = identityHash(this.key.publicKey, identity);
    const entry = encodeEntry({
      operation,
      time,
      identityHash: hash,
      cardId,
      detail: detailOf(content),
    });
    const [found] = await findInMap(this.readMap, this.mapRoot(), [hash]);
    const { count, history } = found?.leaf ?? { count: 0, history: EMPTY_HISTORY };
    const leaf = { identityHash: hash, count: count + 1, history: extendHistory(history, entry) };
    const map = await putIntoMap(this.readMap, this.mapRoot(), leaf);
    for (const { hash: name, node } of map.added) this.#map.set(base64url.encode(name), node);
    const logLeaf = encodeLeaf(entry, map.root);
    for (const node of await appendLeaf(this.readTree, this.size, logLeaf)) {
      this.#tree.set(`${node.level}/${node.index}`, node.hash);
    }
    this.entries.push({ identity, entry, content });
    return this.leaves.push(logLeaf) - 1;
  }

  async head(signedAt: number, size: number = this.size): Promise<LogHead> {
    return signHead(this.key, { size, root: await treeRoot(this.readTree, size), signedAt });
  }

  async lookup(identities: readonly Identity[], size: number = this.size): Promise<Lookup> {
    const hashes = identities.map((identity) => identityHash(this.key.publicKey, identity));
    const found = await findInMap(this.readMap, this.mapRoot(size), hashes);
    return {
      lastLeaf: this.leaves[size - 1] ?? null,
      inclusion: size === 0 ? [] : await inclusionProof(this.readTree, size - 1, size),
      found: found.map(({ proof }, index) => ({
        entries: this.entries
          .slice(0, size)
          .filter(({ identity }) => identity === identities[index])
          .map(({ entry, content }) => ({ entry, content })),
        proof,
      })),
    };
  }

  consistency(from: number, to: number = this.size): Promise<readonly Bytes[]> {
    return consistencyProof(this.readTree, from, to);
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The log does not have this node.');
  return value;
}
