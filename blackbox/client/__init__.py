"""A client of the tuning service.

from blackbox import Client

client = Client("http://127.0.0.1:8000")
file = client.files.upload("train.jsonl")
job = client.jobs.create(backend="smollm2-135m", training_file=file.id, settings={"shots": 16, "evaluations": 300})
for event in client.jobs.watch(job.id):
    print(event.message)
"""

from blackbox.client.client import Client
from blackbox.client.errors import ClientError, RefusedByServiceError, UnreachableError
from blackbox.client.values import Answer, Event, File, Job, Page, Result

__all__ = [
    "Answer",
    "Client",
    "ClientError",
    "Event",
    "File",
    "Job",
    "Page",
    "RefusedByServiceError",
    "Result",
    "UnreachableError",
]
