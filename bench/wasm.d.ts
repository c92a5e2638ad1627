declare module '*.wasm' {
  /** A data URL, by esbuild. */
  const url: string;
  export default url;
}
