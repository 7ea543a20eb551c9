import type { AxiosInstance } from 'axios';
import { lazy } from '../../core/internal.js';
import { axiosAdapter, type RequestBounds } from './axios-adapter.js';
import type { HTTPTransport } from './transport.js';

export type { AxiosInstance };

const loadAxios = lazy(() => import('axios'));

/** An axios instance over a transport. It has no credentials in its defaults: they are given per request. */
export async function createAxios(
  transport: HTTPTransport,
  baseURL: string,
  bounds: RequestBounds,
): Promise<AxiosInstance> {
  const { default: axios } = await loadAxios();
  return axios.create({ baseURL, adapter: axiosAdapter(transport, bounds) });
}
