/** What the guide reads from `NEXT_PUBLIC_…`, set by the page because here the addresses are only known when it is opened. */
export interface Environment {
  readonly gatewayUrl: string;
  readonly websocketUrl: string;
  readonly apiKey: string;
}

export let environment: Environment = { gatewayUrl: '', websocketUrl: '', apiKey: '' };

export function setEnvironment(values: Environment): void {
  environment = values;
}
