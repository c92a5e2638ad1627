import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/index.ts';
import { environment } from './support.ts';

const JWT = {
  AUTH: 'jwt',
  AUTH_JWKS_URL: 'https://sign-in.example/.well-known/jwks.json',
  AUTH_ISSUER: 'https://sign-in.example/',
  AUTH_AUDIENCE: 'https://chat.example',
};

function problems(changes: Record<string, string>): string[] {
  try {
    readConfig({ ...environment(), ...changes });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ name }) => name);
    throw error;
  }
  return [];
}

describe('AUTH', () => {
  test('is password unless it is set', () => {
    expect(readConfig(environment()).auth).toEqual({ kind: 'password' });
    expect(readConfig({ ...environment(), AUTH: 'password' }).auth).toEqual({ kind: 'password' });
    expect(problems({ AUTH: 'none' })).toEqual(['AUTH']);
  });

  test('may be jwt, with what tokens have to be', () => {
    const { auth } = readConfig({ ...environment(), ...JWT });
    expect(auth).toEqual({
      kind: 'jwt',
      jwksUrl: JWT.AUTH_JWKS_URL,
      rules: {
        issuer: JWT.AUTH_ISSUER,
        audience: JWT.AUTH_AUDIENCE,
        algorithms: ['RS256', 'ES256'],
        identityClaim: 'sub',
      },
    });
    const more = { AUTH_ALGORITHMS: 'PS512, ES384', AUTH_IDENTITY_CLAIM: 'https://x.example/id' };
    expect(readConfig({ ...environment(), ...JWT, ...more }).auth).toMatchObject({
      rules: { algorithms: ['PS512', 'ES384'], identityClaim: 'https://x.example/id' },
    });
  });

  test('names everything that jwt lacks', () => {
    expect(problems({ AUTH: 'jwt' })).toEqual(['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE']);
    expect(problems({ ...JWT, AUTH_ISSUER: '', PORT: 'x' })).toEqual(['PORT', 'AUTH_ISSUER']);
  });

  test('was forgotten when there is what only jwt needs: else anybody might sign up', () => {
    for (const name of ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'] as const) {
      expect(problems({ [name]: JWT[name] })).toEqual(['AUTH']);
      expect(problems({ [name]: JWT[name], AUTH: 'password' })).toEqual(['AUTH']);
    }
    // A variable of somebody else's.
    expect(problems({ AUTH_SERVICE_PORT: '80' })).toEqual([]);
  });
});

describe('AUTH_ALGORITHMS', () => {
  test.each(['HS256', 'none', 'RS256,HS256', 'RS256,none', 'rs256', 'EdDSA', ',', 'RS256,'])(
    'are such whose keys cannot sign: not %s',
    (text) => {
      expect(problems({ ...JWT, AUTH_ALGORITHMS: text })).toEqual(['AUTH_ALGORITHMS']);
    },
  );
});

describe('AUTH_JWKS_URL', () => {
  test.each([
    'http://sign-in.example/jwks.json',
    'http://localhost.evil.example/jwks.json',
    'http://127.0.0.1.evil.example/',
    'https://me:secret@sign-in.example/jwks.json',
    'https://sign-in.example/jwks.json#keys',
    'file:///etc/jwks.json',
    'data:application/json,{}',
    'sign-in.example',
  ])('is not %s', (url) => {
    expect(problems({ ...JWT, AUTH_JWKS_URL: url })).toEqual(['AUTH_JWKS_URL']);
  });

  test.each([
    'https://sign-in.example:8443/keys?v=1',
    'http://localhost:8080/jwks.json',
    'http://127.0.0.1/jwks.json',
    'http://[::1]:1/jwks.json',
  ])('may be %s', (url) => {
    expect(problems({ ...JWT, AUTH_JWKS_URL: url })).toEqual([]);
  });
});
