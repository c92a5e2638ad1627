import type { Bytes, ReadTree, TreeNode } from 'twilio-chat-encryption/protocol';

/** Reads a tree for all who ask at the same moment with one query. */
export function readTogether(read: ReadTree): ReadTree {
  let asked: TreeNode[] = [];
  let reading: Promise<readonly Bytes[]> | null = null;

  async function readAsked(): Promise<readonly Bytes[]> {
    // Until whoever asks in this turn has asked.
    await Promise.resolve();
    const nodes = asked;
    asked = [];
    reading = null;
    return nodes.length === 0 ? [] : read(nodes);
  }

  return async (nodes) => {
    const start = asked.length;
    asked.push(...nodes);
    reading ??= readAsked();
    return (await reading).slice(start, start + nodes.length);
  };
}
