import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS, type TokenRules } from './domain/foreign-tokens.ts';

/** How people sign in: with accounts here, or with tokens of the application's own sign-in. */
export type AuthConfig =
  | { readonly kind: 'password' }
  | { readonly kind: 'jwt'; readonly jwksUrl: string; readonly rules: TokenRules };

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

/** The variables. Which of them are needed depends on the first one. */
export const AUTH_VARIABLES = {
  AUTH: z.enum(['password', 'jwt']).default('password').describe('expected password or jwt'),
  AUTH_JWKS_URL: z
    .string()
    .refine(isKeySetUrl)
    .optional()
    .describe('expected the https URL of the JWKS with the keys of your tokens'),
  AUTH_ISSUER: word().optional().describe('expected the `iss` of your tokens'),
  AUTH_AUDIENCE: word().optional().describe('expected the `aud` of your tokens for this server'),
  AUTH_ALGORITHMS: z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .pipe(z.array(z.enum(ASYMMETRIC_ALGORITHMS)).min(1))
    .default(['RS256', 'ES256'])
    .describe(`expected some of ${ASYMMETRIC_ALGORITHMS.join(', ')}, separated by commas`),
  AUTH_IDENTITY_CLAIM: word().default('sub').describe('expected the claim that has the identity'),
};

type Variables = z.output<z.ZodObject<typeof AUTH_VARIABLES>>;

const REQUIRED = ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'] as const;

/**
 * What is wrong with how the variables go together: one that `jwt` needs is missing, or there is one that
 * only `jwt` has a use for. Who forgot `AUTH=jwt` would have a server where anybody may sign up.
 *
 * @returns the names of the variables that are to be set, or to be set otherwise
 */
export function authProblems(given: ReadonlySet<string>, auth: string | undefined): string[] {
  if (auth === 'jwt') return REQUIRED.filter((name) => !given.has(name));
  const isStray = [...given].some((name) => name.startsWith('AUTH_') && name in AUTH_VARIABLES);
  return isStray && (auth ?? 'password') === 'password' ? ['AUTH'] : [];
}

/** The configuration, of variables without such problems. */
export function authConfig(variables: Variables): AuthConfig {
  const { AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE } = variables;
  if (variables.AUTH === 'password') return Object.freeze({ kind: 'password' });
  if (!AUTH_JWKS_URL || !AUTH_ISSUER || !AUTH_AUDIENCE) throw new Error('AUTH is incomplete');
  return Object.freeze({
    kind: 'jwt',
    jwksUrl: AUTH_JWKS_URL,
    rules: Object.freeze({
      issuer: AUTH_ISSUER,
      audience: AUTH_AUDIENCE,
      algorithms: Object.freeze(variables.AUTH_ALGORITHMS),
      identityClaim: variables.AUTH_IDENTITY_CLAIM,
    }),
  });
}

/** Whoever can change what comes over the network chooses the keys, so that must be https. */
function isKeySetUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOCAL_HOSTS.includes(hostname));
  return isSafe && username === '' && password === '' && hash === '';
}

function word() {
  return z.string().regex(/^[\x21-\x7e]{1,512}$/);
}
