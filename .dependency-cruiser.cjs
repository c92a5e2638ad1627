/** The rings of docs/architecture: imports point inwards only. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'protocol-is-innermost',
      comment: 'RING 1: bytes in, bytes out. It knows neither state nor Twilio.',
      severity: 'error',
      from: { path: '^plugin/src/protocol' },
      to: { path: '^plugin/src/(client|twilio|index|node)' },
    },
    {
      name: 'client-does-not-know-twilio',
      severity: 'error',
      from: { path: '^plugin/src/client' },
      to: { path: '^plugin/src/(twilio|index|node)' },
    },
    {
      name: 'one-file-touches-cryptography',
      severity: 'error',
      from: {
        path: '^plugin/src',
        pathNot: '^plugin/src/protocol/(primitives|curves|curves-.*)\\.ts$',
      },
      to: { path: '@(noble|stablelib)/' },
    },
    {
      name: 'post-quantum-on-demand',
      comment: 'Who does not use suite 2 does not load its libraries.',
      severity: 'error',
      from: { path: '^(plugin|token-server|demo)/src' },
      to: { path: '@noble/(post-quantum|hashes/sha3)', dynamic: false },
    },
    {
      name: 'server-domain-is-innermost',
      severity: 'error',
      from: { path: '^token-server/src/domain' },
      to: { path: '^token-server/src/(http|store|cli)|express|kysely|better-sqlite3' },
    },
    {
      name: 'server-store-below-http',
      severity: 'error',
      from: { path: '^token-server/src/store' },
      to: { path: '^token-server/src/(http|cli)|express' },
    },
    {
      name: 'decoder-is-independent',
      comment:
        'It shares no code with the library, so that one mistake would have to be made twice.',
      severity: 'error',
      from: { path: '^spec/decoder' },
      to: { pathNot: '^(spec/(decoder/|vector-files)|(node:)?(crypto|fs|path)$)' },
    },
    {
      name: 'published-entry-points-only',
      comment: 'A package is used through its entry points, never by a path into it.',
      severity: 'error',
      from: { path: '^(token-server|twilio-emulator|demo|spec)/' },
      to: { path: '^plugin/src/', pathNot: '^plugin/src/(index|node|protocol/index)\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['twilio-chat-encryption-source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
