/** How the page keeps its connection to Twilio alive. */
import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { keepConnected } from '../src/page/models/connection.ts';

class FakeClient extends EventEmitter {
  connectionState = 'connected';
  readonly updateToken = vi.fn<(token: string) => Promise<void>>(() => Promise.resolve());
}

test('a token that expires is replaced, once at a time', async () => {
  const client = new FakeClient();
  keepConnected(client, () => Promise.resolve('fresh'));
  client.emit('tokenAboutToExpire');
  client.emit('tokenExpired');
  await vi.waitFor(() => {
    expect(client.updateToken.mock.calls).toEqual([['fresh']]);
  });
  client.emit('tokenExpired');
  await vi.waitFor(() => {
    expect(client.updateToken).toHaveBeenCalledTimes(2);
  });
});

test('a refusal is one when a new token does not help either', async () => {
  const client = new FakeClient();
  client.updateToken.mockRejectedValue(new Error('refused'));
  const connection = keepConnected(client, () => Promise.resolve('fresh'));
  client.emit('connectionStateChanged', 'disconnected');
  expect(connection.get().state).toBe('reconnecting');
  client.connectionState = 'denied';
  client.emit('connectionStateChanged', 'denied');
  await vi.waitFor(() => {
    expect(connection.get().state).toBe('refused');
  });
  client.connectionState = 'connected';
  client.emit('connectionStateChanged', 'connected');
  expect(connection.get().state).toBe('connected');
});
