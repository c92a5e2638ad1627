/** What a page loads of the package: bytes, compressed with gzip -9, as Vite bundles it. */
import { bundle } from '../plugin/test/bundle.ts';

const SCRIPTS = {
  'an application with one SDK': `import { Encryption } from 'twilio-chat-encryption'; window.Encryption = Encryption;`,
  'the protocol': `import * as protocol from 'twilio-chat-encryption/protocol'; window.protocol = protocol;`,
};

for (const [name, script] of Object.entries(SCRIPTS)) {
  const { start, later } = await bundle(script);
  const all = [...later.values()].reduce((sum, { size }) => sum + size, 0);
  console.log(`\n${name}: ${start.size} bytes at first, ${all} more if all of it is used`);
  for (const [part, { size }] of [...later].sort(([, one], [, other]) => other.size - one.size)) {
    console.log(part.padEnd(28), `${size}`.padStart(8));
  }
}
