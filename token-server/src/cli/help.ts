/** What `--help` prints. */
export const HELP = `Token server for end-to-end-encrypted Twilio chat

Usage: twilio-chat-encryption-server <command> [--env-file <file>]

Commands:
  init      write an environment file with fresh keys, to fill in; never overwrites
  serve     start the server
  migrate   bring the database, SQLite or PostgreSQL, up to date, and stop (serve
            does it too)
  keygen    print a fresh application key

Options:
  --env-file <file>   environment file to read or, with init, to write (default: .env)
  -h, --help          print this

Variables that are set in the environment come before those of the file.
Exit codes: 0 done, 1 failed or misconfigured, 2 wrong usage.`;
