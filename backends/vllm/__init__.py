"""Soft prompts for a model behind vLLM, by its `prompt_embeds`. Needs the extra `local` (torch, transformers)."""

from blackbox.backends.vllm.backend import VllmBackend
from blackbox.backends.vllm.loading import load_vllm

__all__ = ["VllmBackend", "load_vllm"]
