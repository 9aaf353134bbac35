import torch
from packaging import version

release = version.parse(torch.__version__).release


def is_torch_equal_or_newer(target):
    return version.parse(str(torch.__version__)) >= version.parse(target)
