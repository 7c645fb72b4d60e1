/** A style sheet as text: the build minifies it, the tests take it as it is. */
declare module '*.css?inline' {
  const text: string;
  export default text;
}
