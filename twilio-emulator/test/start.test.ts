import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { Client } from 'twilio-chat';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clientOptions, createEmulator, startEmulator } from '../src/index.ts';
import { next } from './support/events.ts';
import { accessToken } from './support/world.ts';

describe('an emulator in a server of one’s own', () => {
  test('takes its websockets and leaves everything else alone', async () => {
    const started = await startEmulator();
    await started.close();
    const { config } = started;
    const emulator = createEmulator(config);
    const server = createServer((_request, response) => response.end('the application'));
    const others = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/live-reload') return;
      others.handleUpgrade(request, socket, head, (other) => {
        other.send('reload');
      });
    });
    emulator.attach(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(async () => {
      await emulator.close();
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') expect.fail();
    const url = `http://127.0.0.1:${address.port}`;

    expect(await (await fetch(url)).text()).toBe('the application');
    const other = new WebSocket(`${url.replace('http', 'ws')}/live-reload`);
    const [message] = (await once(other, 'message')) as [MessageEvent];
    expect(message.data).toBe('reload');
    other.close();
    const client = new Client(accessToken(config, 'alice'), clientOptions(url));
    await next(client, 'stateChanged', (state) => state === 'initialized');
    await client.getUserDescriptor('alice');
    await client.shutdown();
  });
});

describe('starting', () => {
  test('twice on one port is an error', async () => {
    const first = await startEmulator();
    await expect(startEmulator({ port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
  });

  test('takes credentials and makes up those that are not given', async () => {
    const apiKey = `SK${'0'.repeat(32)}`;
    const emulator = await startEmulator({ apiKey, apiSecret: 's' });
    expect(emulator.config).toMatchObject({ apiKey, apiSecret: 's' });
    expect(emulator.config.accountSid).toMatch(/^AC[0-9a-f]{32}$/);
    expect(emulator.url).toBe(`http://127.0.0.1:${emulator.port}`);
    await emulator.close();
    await expect(startEmulator({ accountSid: 'mine' })).rejects.toThrow('accountSid');
    await expect(startEmulator({ apiSecret: '' })).rejects.toThrow('apiSecret');
  });

  test('tells SDKs where to connect', () => {
    const uri = (base: string): string => clientOptions(base).Twilsock.uri;
    expect(uri('http://127.0.0.1:4000')).toBe('ws://127.0.0.1:4000/v3/wsconnect');
    expect(uri('https://chat.example/')).toBe('wss://chat.example/v3/wsconnect');
    expect(uri('https://chat.example/twilio/')).toBe('wss://chat.example/twilio/v3/wsconnect');
    expect(() => clientOptions('ftp://chat.example')).toThrow(TypeError);
  });
});

describe('the command', () => {
  test('prints the address and the credentials', async () => {
    const { child, output } = run('--port', '0');
    await expect.poll(output).toContain('Twilsock');
    child.kill();
    for (const name of ['ACCOUNT_SID', 'API_KEY', 'API_SECRET', 'CHAT_SERVICE_SID']) {
      expect(output()).toMatch(new RegExp(`^TWILIO_${name}=.+$`, 'm'));
    }
    expect(output()).toMatch(/^Listening on http:\/\/127\.0\.0\.1:\d+$/m);
    await once(child, 'exit');
  });

  test.each([
    [['--port', 'x'], '--port must be a number from 0 to 65535, not: x'],
    [['--port', '65536'], '--port must be'],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['--port', '0', '--api-key', 'AC1'], 'apiKey is not a Twilio SID: AC1'],
  ])('refuses %s', async (args, message) => {
    const { child, output } = run(...args);
    const [status] = (await once(child, 'close')) as [number];
    expect(status).toBe(1);
    expect(output()).toContain(message);
    expect(output()).not.toContain('    at ');
  });
});

function run(...args: string[]) {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const child = spawn(process.execPath, [cli, ...args]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => (text += data.toString()));
  }
  return { child, output: () => text };
}
