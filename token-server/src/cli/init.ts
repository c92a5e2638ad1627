import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { generateKeyPair } from './keygen.ts';

/**
 * `init`: writes an environment file that only its owner may read, with fresh keys.
 *
 * @throws Error when the file is there already; it is never overwritten
 */
export async function init(envFile: string): Promise<void> {
  const app = await generateKeyPair();
  const log = await generateKeyPair();
  const sessionSecret = randomBytes(32).toString('base64url');
  const text = template(app.privateKey, log.privateKey, sessionSecret);
  try {
    // `wx` fails on an existing file in the same step that would create it.
    writeFileSync(envFile, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new Error(`${envFile} was not written; init never overwrites.`, { cause });
  }
  console.log(`Wrote ${envFile} with fresh keys. Keep it secret, and out of version control.

Next:
  1. Fill in the TWILIO_… variables and ORIGIN in ${envFile}.
  2. See what is still missing: npx twilio-chat-encryption-server doctor
  3. Start the server: npx twilio-chat-encryption-server serve
  4. Pin these public keys in your client:

     appKey: ${app.publicKey}
     logKey: ${log.publicKey}`);
}

function template(appKey: string, logKey: string, sessionSecret: string): string {
  return `# The token server's configuration. Whoever reads this file can approve cards
# and sign in as anybody.

# --- Twilio: https://console.twilio.com ---
# Account SID: AC and 32 hex digits
TWILIO_ACCOUNT_SID=
# API key: SK and 32 hex digits, and its secret (Account > API keys & tokens)
TWILIO_API_KEY=
TWILIO_API_SECRET=
# Chat or Conversations service: IS and 32 hex digits
TWILIO_CHAT_SERVICE_SID=
# Push credential, if there are push notifications: CR and 32 hex digits
#TWILIO_PUSH_CREDENTIAL_SID=
# Region, if it is not us1, and how long access tokens are good for, in seconds
#TWILIO_REGION=ie1
#TWILIO_TOKEN_TTL=3600
# With the auth token of the account, Twilio may ask here before it stores a message, so that none is
# stored in the clear: POST <ORIGIN>/v1/webhooks/twilio
#TWILIO_AUTH_TOKEN=

# --- Keys, made by init. Back them up: clients pin the public halves. ---
# Each secret may be in a file instead: APP_PRIVATE_KEY_FILE=/run/secrets/app_key
# Approves cards: Ed25519 seed in base64url
APP_PRIVATE_KEY=${appKey}
# Signs the transparency log: Ed25519 seed in base64url
LOG_PRIVATE_KEY=${logKey}
# Signs sessions: at least 32 random bytes in base64url. A new one signs everybody out.
SESSION_SECRET=${sessionSecret}

# --- Where it runs ---
PORT=3000
# The only address to listen on, for a reverse proxy on this machine. Without it, all that the machine has.
#BIND_ADDRESS=127.0.0.1
# This deployment's name, as an origin. Choose it before the first sign-up: it is
# part of every login, and a change locks everybody out.
ORIGIN=http://localhost:3000
# Where the database is; or postgres://user:password@host:5432/database
DATABASE_URL=sqlite:./data/server.db
# With your application's own sign-in, in place of accounts here:
#AUTH=jwt
#AUTH_JWKS_URL=https://id.example/.well-known/jwks.json
#AUTH_ISSUER=https://id.example/
#AUTH_AUDIENCE=https://chat.example
# Origins whose pages may call the server, separated by commas
#CORS_ORIGINS=https://chat.example
# Behind a reverse proxy: how many there are, or their addresses
#TRUST_PROXY=1
# Seconds to go on after /readyz says that this server stops: as long as a balancer takes to notice
#SHUTDOWN_DELAY=0
# Who sends this as a bearer token may read /metrics: 32 random bytes in base64url
#METRICS_TOKEN=
`;
}
