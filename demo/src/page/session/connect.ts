import { Client } from 'twilio-chat';
import { SETTINGS } from '../settings.ts';
import { ServerFailure } from './server-failure.ts';

const CONNECT_MILLISECONDS = 20_000;

/**
 * A connected client of Twilio. `Client.create` resolves when the token was refused, and never without
 * a connection.
 * @throws ServerFailure
 */
export async function connect(token: string): Promise<Client> {
  const client = new Client(token, SETTINGS.emulated ? emulatorOptions() : {});
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (message: string): void => {
      reject(new ServerFailure('TWILIO_UNREACHABLE', message));
    };
    client.on('stateChanged', (state) => {
      if (state === 'initialized') resolve();
      else fail('Twilio could not start the chat.');
    });
    client.on('connectionStateChanged', (state) => {
      if (state === 'denied') fail('Twilio refused the access token.');
    });
    setTimeout(() => {
      fail('Twilio did not answer.');
    }, CONNECT_MILLISECONDS);
  });
  try {
    await ready;
    return client;
  } catch (error) {
    await client.shutdown();
    throw error;
  }
}

function emulatorOptions(): { Twilsock: { uri: string } } {
  const { protocol, host } = location;
  return { Twilsock: { uri: `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/v3/wsconnect` } };
}
