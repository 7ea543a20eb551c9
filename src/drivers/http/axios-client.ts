import type { AxiosInstance } from 'axios';
import { lazy } from '../../core/internal.js';
import { axiosAdapter } from './axios-adapter.js';
import type { HTTPRequest, HTTPTransport } from './transport.js';

export type { AxiosInstance };

const loadAxios = lazy(() => import('axios'));

/** What {@link createAxios} puts in place for every request. */
interface AxiosSettings extends Required<Pick<HTTPRequest, 'mayFollow' | 'guardFor'>> {
  readonly baseURL: string;
}

/** An axios instance over a transport. It has no credentials in its defaults: they are given per request. */
export async function createAxios(
  transport: HTTPTransport,
  { baseURL, mayFollow, guardFor }: AxiosSettings,
): Promise<AxiosInstance> {
  const { default: axios } = await loadAxios();
  const guarded: HTTPTransport = {
    send: (request) => transport.send({ ...request, mayFollow, guardFor }),
    close: () => transport.close(),
  };
  return axios.create({ baseURL, adapter: axiosAdapter(guarded) });
}
