/** What `--help` prints. */
export const HELP = `Token server for end-to-end-encrypted Twilio chat

Usage: twilio-chat-encryption-server <command> [--env-file <file>]

Commands:
  init      write an environment file with fresh keys, to fill in; never overwrites
  serve     start the server
  migrate   bring the database, SQLite or PostgreSQL, up to date, and stop (serve
            does it too)
  keygen [app|log]
            print a fresh key of the application (default) or of the log, and its
            public key, which clients pin
  doctor [--json]
            look at the configuration, the database, the keys and the clock, and say
            what is wrong and what to do; changes nothing and does not ask Twilio

  cards list [identity] [--json]
            all cards, or those of an identity, and what became of them
  cards show <id> [--json]
            one card, and its entries in the log
  cards revoke <id> [--reason retired|compromised]
            end a card in the name of the application (default: retired)

  log verify [--log-key <key>] [--app-key <key>]... [--head <head>]...
            compute the log in the database again, compare it with the cards, and
            print what is wrong. With a log key, the private ones are not read
  log verify --server <url> --log-key <key> [--head <head>]...
            the same of the log of a server, as everybody can who signs in there:
            SESSION in the environment is a session of it
  log restart
            begin the log again under a new LOG_PRIVATE_KEY, with all cards approved
            by APP_PRIVATE_KEY. Stop all servers before, and read docs/keys.md

Options:
  --env-file <file>   environment file to read or, with init, to write (default: .env)
  --json              print JSON, one object a line
  --log-key <key>     the log's public key
  --app-key <key>     a public key of the application, beside that of the environment
  --head <head>       a head that somebody has seen: the log must have grown out of it
  -h, --help          print this

Variables that are set in the environment come before those of the file.
Exit codes: 0 done, 1 failed, misconfigured or wrong, 2 wrong usage.`;
